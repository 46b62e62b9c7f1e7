export type Aggregation = 'count' | 'sum' | 'max' | 'unique_count' | 'latest' | 'weighted_sum'

/**
 * A condition on one property. An event without the property has no value: it equals nothing and is in
 * nothing. `not` turns the answer round.
 */
export type MeterFilter = { readonly property: string; readonly not?: boolean | undefined } & (
  | { readonly equals: string }
  | { readonly in: readonly string[] }
  | { readonly exists: true }
)

/** How events become a quantity. */
export interface Meter {
  readonly code: string
  /** null: all event types. */
  readonly eventType: string | null
  readonly aggregation: Aggregation
  /** What is aggregated; null: the event's quantity. `unique_count` needs one, `count` looks at none. */
  readonly property: string | null
  /** All must hold. */
  readonly filters: readonly MeterFilter[]
  /** Each combination of these properties' values is rated by itself. */
  readonly groupBy: readonly string[]
}

/** Does the meter count an event of this type with these properties? */
export function meterTakes(
  meter: Meter,
  event: {
    readonly eventType: string
    readonly properties?: Readonly<Record<string, string>> | undefined
  },
): boolean {
  if (meter.eventType !== null && meter.eventType !== event.eventType) return false
  return meter.filters.every((filter) => holds(filter, event.properties?.[filter.property]))
}

function holds(filter: MeterFilter, value: string | undefined): boolean {
  return matches(filter, value) !== (filter.not ?? false)
}

function matches(filter: MeterFilter, value: string | undefined): boolean {
  if (value === undefined) return false
  if ('equals' in filter) return value === filter.equals
  if ('in' in filter) return filter.in.includes(value)
  return true
}
