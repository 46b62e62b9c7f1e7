import { type MeterJson, MeterFilter } from '@billtrail/contracts'
import type { z } from 'zod'
import type { MeterRow } from './meter.model'
import type { MeterAnswer, NewMeter } from './meters.schema'

/** What people set, as it is stored: what was left out as null or empty. */
export interface MeterContent {
  readonly name: string
  readonly event_type: string | null
  readonly aggregation: MeterJson['aggregation']
  readonly property: string | null
  readonly filters: NonNullable<MeterJson['filters']>
  readonly group_by: string[]
}

export const contentOf = (meter: MeterRow): MeterContent => ({
  name: meter.name,
  event_type: meter.eventType,
  aggregation: meter.aggregation,
  property: meter.property,
  // jsonb keeps no order of fields; the schema puts them back into theirs.
  filters: meter.filters.map((filter) => MeterFilter.parse(filter)),
  group_by: meter.groupBy,
})

/** A meter as it is sent, with what was left out. */
export const wholeContent = (sent: NewMeter): MeterContent => ({
  name: sent.name ?? sent.code,
  event_type: sent.event_type ?? null,
  aggregation: sent.aggregation,
  property: sent.property ?? null,
  filters: (sent.filters ?? []).map((filter) => MeterFilter.parse(filter)),
  group_by: sent.group_by ?? [],
})

export const presentMeter = (meter: MeterRow): z.output<typeof MeterAnswer> => ({
  id: meter.id,
  code: meter.code,
  ...contentOf(meter),
  created_at: meter.createdAt.toISOString(),
})

/** The fields in which two contents differ. */
export function differingFields(a: MeterContent, b: MeterContent): (keyof MeterContent)[] {
  const fields = Object.keys(a) as (keyof MeterContent)[]
  return fields.filter((field) => JSON.stringify(a[field]) !== JSON.stringify(b[field]))
}
