import { checkMeterRule, Code, Meter, meterRule } from '@billtrail/contracts'
import { PageQuery, pageSchema } from '@billtrail/platform'
import { z } from 'zod'

export const NewMeterBody = Meter
export type MeterFields = Omit<NewMeter, 'code'>
export type NewMeter = z.output<typeof Meter>

export const MeterChangesBody = z
  .strictObject({ name: z.string().min(1).max(255), ...meterRule })
  .partial()
  .meta({
    id: 'MeterChanges',
    description: 'What is absent stays as it is.',
    example: { name: 'API calls', group_by: ['region'] },
  })
export type MeterChanges = z.output<typeof MeterChangesBody>

export const MeterParams = z.object({ code: z.string().max(255) })
export const MetersQuery = PageQuery

export const MeterAnswer = z
  .object({
    id: z.uuid(),
    code: Code,
    name: z.string(),
    event_type: z.string().nullable(),
    aggregation: meterRule.aggregation,
    property: z.string().nullable(),
    filters: meterRule.filters.unwrap(),
    group_by: z.array(z.string()),
    created_at: z.string(),
  })
  .meta({ id: 'StoredMeter' })

export const MetersPage = pageSchema(MeterAnswer)

/** A whole meter, after changes: the rule has to hold for it as well. */
export const WholeMeter = z
  .strictObject({ name: z.string(), ...meterRule })
  .superRefine(checkMeterRule)
