import type { Meter as DomainMeter, MeterFilter as DomainFilter } from '@billtrail/domain'
import { z } from 'zod'
import { PropertyName } from './property-name.schema'

export const Code = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'Write a code: small letters, digits, _ and -, at most 64')
  .meta({ examples: ['api_calls'] })

const FilterValue = z.string().max(8192)

const negation = z.boolean().optional().meta({ description: 'Turns the condition round.' })

/** A condition on one property; an event without the property equals nothing and is in nothing. */
export const MeterFilter = z
  .union([
    z.strictObject({ property: PropertyName, equals: FilterValue, not: negation }),
    z.strictObject({
      property: PropertyName,
      in: z.array(FilterValue).min(1).max(1000),
      not: negation,
    }),
    z.strictObject({ property: PropertyName, exists: z.boolean(), not: negation }),
  ])
  .meta({ id: 'MeterFilter', example: { property: 'region', in: ['eu', 'uk'] } })

/** The fields that say how events are aggregated; a quote's meter has these alone. */
export const meterRule = {
  event_type: z.string().min(1).max(255).nullable().optional().meta({
    description: 'Which events; null or left out: all.',
  }),
  aggregation: z.enum(['count', 'sum', 'max', 'unique_count', 'latest', 'weighted_sum']),
  property: PropertyName.nullable().optional().meta({
    description: 'What is aggregated; null or left out: the quantity.',
  }),
  filters: z.array(MeterFilter).max(16).optional(),
  group_by: z.array(PropertyName).max(8).optional(),
}

interface Rule {
  readonly aggregation: string
  readonly property?: string | null | undefined
}

export function checkMeterRule({ aggregation, property }: Rule, context: z.RefinementCtx): void {
  if (aggregation !== 'unique_count' || typeof property === 'string') return
  const message = 'unique_count counts the values of a property: name it'
  context.addIssue({ code: 'custom', path: ['property'], message })
}

export const Meter = z
  .strictObject({ code: Code, name: z.string().min(1).max(255).optional(), ...meterRule })
  .superRefine(checkMeterRule)
  .meta({
    id: 'Meter',
    example: {
      code: 'api_calls',
      name: 'API calls',
      event_type: 'api_call',
      aggregation: 'count',
      filters: [{ property: 'status', equals: '500', not: true }],
      group_by: ['region'],
    },
  })

export type MeterJson = z.output<typeof Meter>

/** The meter that checked JSON says. */
export function toMeter(json: Omit<MeterJson, 'name'>): DomainMeter {
  return {
    code: json.code,
    eventType: json.event_type ?? null,
    aggregation: json.aggregation,
    property: json.property ?? null,
    filters: (json.filters ?? []).map(toFilter),
    groupBy: json.group_by ?? [],
  }
}

function toFilter(json: z.output<typeof MeterFilter>): DomainFilter {
  if (!('exists' in json)) return json
  // `exists: false` is `exists: true` turned round.
  const not = (json.not ?? false) === json.exists
  return { property: json.property, exists: true, not }
}
