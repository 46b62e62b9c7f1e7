import {
  type Decimal,
  decimal,
  decimalFromInteger,
  divide,
  max,
  ONE,
  roundHalfUp,
  sum,
  ZERO,
} from '../decimal'
import type { GroupUsage, RatedEvent, RatedUsage, UsageGroup } from '../pricing/rated-usage'
import { type Meter, meterTakes } from './meter'

/** One event as a meter sees it. */
export interface MeterEvent extends RatedEvent {
  readonly eventType: string
  /** In microseconds since 1970. */
  readonly eventDate: number
  /** Decides which of two events of one instant is the later: the greater key. Else the later in the list. */
  readonly key?: string | undefined
}

/** Half-open, in microseconds since 1970. */
export interface MeterSpan {
  readonly from: number
  readonly to: number
}

/** Places a weighted sum is rounded to, half up: as many as a quantity may have. */
const WEIGHTED_SUM_PLACES = 12

const PLAIN_DECIMAL = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/

interface Measured {
  readonly event: MeterEvent
  readonly value: Decimal
}

/**
 * Aggregates a list of events as a meter says: the reference for what SQL does.
 *
 * Events outside the span don't count; only a weighted sum takes the value carried in from those before it (or from
 * `carriedIn`, where the list begins with the span). An event whose property is missing or no plain decimal
 * does not count for aggregations of numbers, nor one without the property for `unique_count`. Without events a quantity
 * is 0. `sum` and `count` give the events on to the price, each with what it counted for.
 *
 * `counted` is the events of the span that count.
 */
export function aggregate(
  meter: Meter,
  events: readonly MeterEvent[],
  { span, carriedIn }: { readonly span: MeterSpan; readonly carriedIn?: Decimal | undefined },
): { readonly usage: RatedUsage; readonly counted: readonly MeterEvent[] } {
  const measured = events.flatMap((event): Measured[] => {
    if (event.eventDate >= span.to || !meterTakes(meter, event)) return []
    const value = valueOf(meter, event)
    return value === null ? [] : [{ event, value }]
  })
  const relevant = measured.filter(
    ({ event }) => meter.aggregation === 'weighted_sum' || event.eventDate >= span.from,
  )
  const counted = measured.map(({ event }) => event).filter((event) => event.eventDate >= span.from)
  const whole = aggregateGroup(meter, relevant, { span, carriedIn })
  if (meter.groupBy.length === 0) return { usage: whole, counted }

  const groups = groupsOf(meter.groupBy, relevant).map(
    ({ properties, members }): UsageGroup => ({
      properties,
      usage: aggregateGroup(meter, members, { span, carriedIn: undefined }),
    }),
  )
  return { usage: { ...whole, groups }, counted }
}

/** The value of the event for this meter; null: the event does not count. */
function valueOf(meter: Meter, event: MeterEvent): Decimal | null {
  if (meter.aggregation === 'count') return ONE
  if (meter.property === null) return event.quantity
  const text = event.properties?.[meter.property]
  if (text === undefined) return null
  if (meter.aggregation === 'unique_count') return ONE
  return PLAIN_DECIMAL.test(text) ? decimal(text) : null
}

function aggregateGroup(
  meter: Meter,
  measured: readonly Measured[],
  { span, carriedIn }: { readonly span: MeterSpan; readonly carriedIn: Decimal | undefined },
): GroupUsage {
  const values = measured.map(({ value }) => value)
  switch (meter.aggregation) {
    case 'count':
    case 'sum':
      return {
        quantity: sum(values),
        events: measured.map(({ event, value }) => ({ ...event, quantity: value })),
      }
    case 'max':
      return { quantity: values.length === 0 ? ZERO : values.reduce(max) }
    case 'unique_count':
      return { quantity: decimalFromInteger(distinctValues(meter, measured)) }
    case 'latest':
      return { quantity: inOrder(measured).at(-1)?.value ?? ZERO }
    case 'weighted_sum':
      return { quantity: weightedSum(measured, span, carriedIn ?? ZERO) }
  }
}

function distinctValues({ property }: Meter, measured: readonly Measured[]): number {
  return new Set(
    measured.map(({ event }) =>
      property === null ? event.quantity.toFixed() : event.properties?.[property],
    ),
  ).size
}

/**
 * Values are changes of a level that holds until the next one: the level weighted by how long it held, over the
 * whole span. Ten gigabytes added in the middle of a month are five.
 */
function weightedSum(
  measured: readonly Measured[],
  { from, to }: MeterSpan,
  carriedIn: Decimal,
): Decimal {
  // Each change counts from when it happened, or from the beginning of the span, to its end.
  const weighted = measured.map(({ event, value }) =>
    value.times(decimalFromInteger(to - Math.max(event.eventDate, from))),
  )
  const length = decimalFromInteger(to - from)
  return averageLevel(sum(weighted).plus(carriedIn.times(length)), { from, to })
}

/** A weighted sum from Σ change × microseconds it held within the span. */
export function averageLevel(total: Decimal, { from, to }: MeterSpan): Decimal {
  return roundHalfUp(divide(total, decimalFromInteger(to - from)), WEIGHTED_SUM_PLACES)
}

function inOrder(measured: readonly Measured[]): readonly Measured[] {
  return [...measured].sort((a, b) => {
    if (a.event.eventDate !== b.event.eventDate) return a.event.eventDate - b.event.eventDate
    const [keyA, keyB] = [a.event.key ?? '', b.event.key ?? '']
    if (keyA === keyB) return 0
    return keyA < keyB ? -1 : 1
  })
}

function groupsOf(
  groupBy: readonly string[],
  measured: readonly Measured[],
): { properties: Record<string, string>; members: Measured[] }[] {
  const groups = new Map<string, { properties: Record<string, string>; members: Measured[] }>()
  for (const one of measured) {
    const values = groupBy.map((name) => one.event.properties?.[name] ?? null)
    const key = JSON.stringify(values)
    const group = groups.get(key)
    if (group) {
      group.members.push(one)
      continue
    }
    const entries = groupBy.flatMap((name, at) => {
      const value = values[at]
      return typeof value === 'string' ? [[name, value] as const] : []
    })
    groups.set(key, { properties: Object.fromEntries(entries), members: [one] })
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group)
}
