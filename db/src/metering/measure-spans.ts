import {
  averageLevel,
  type Decimal,
  decimal,
  type Meter,
  type RatedEvent,
  type RatedUsage,
  sum,
  type UsageGroup,
  type UsageNeeds,
  ZERO,
} from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'
import { type CustomerSpan, rowsBySpan, spansSql } from './customer-span'
import { quantitySql, takesSql, valueSql } from './meter-sql'
import { sqlValues, type SqlValues } from './sql-values'

export interface Measurement {
  /** Owns the customers, and the event type the meter names. */
  readonly organizationId: string
  readonly meter: Meter
  /** What the price has to be fed with. */
  readonly needs: UsageNeeds
  /** Do events with their own unit price count? Only for prices that read it. */
  readonly ownPrices: boolean
  readonly spans: readonly CustomerSpan[]
}

/**
 * Aggregates the events of many customers, a span each, as a meter says: one statement for all, and the same as
 * `aggregate` of the domain for each. The answer is in the order of the spans; one without events has quantity 0.
 *
 * What is read is what the price needs: a quantity, quantities by own unit price, or the events themselves.
 */
export async function measureSpans(sql: Sql, measurement: Measurement): Promise<RatedUsage[]> {
  if (measurement.spans.length === 0) return []
  switch (measurement.needs.detail) {
    case 'quantity':
      return measureQuantities(sql, measurement)
    case 'slices':
      return measureSlices(sql, measurement)
    case 'events':
      return readEvents(sql, measurement)
  }
}

/** The events that count, with their value and `k`: the values of the properties to group by, null where there are none. */
function measuredSql(
  { organizationId, meter, ownPrices, spans }: Measurement,
  values: SqlValues,
): string {
  const { bind } = values
  const carriesIn = meter.aggregation === 'weighted_sum'
  const group = meter.groupBy.map((name) => `e.properties -> ${bind(name)}::text`)
  return `
    select s.at, s.span_from, s.span_to, e.event_date, e.event_key, e.unit_price, e.properties, v.value,
           ${group.length === 0 ? 'null::jsonb' : `jsonb_build_array(${group.join(', ')})`} as k
    from ${spansSql(spans, values)}
    join events e on e.customer_no = s.customer_no and e.event_date < s.span_to
      ${carriesIn ? '' : 'and e.event_date >= s.span_from'}
    cross join lateral (select ${valueSql(meter, values)} as value) as v
    where v.value is not null and ${takesSql(meter, { organizationId, values })}
      ${ownPrices ? '' : 'and e.unit_price is null'}`
}

async function measureQuantities(sql: Sql, measurement: Measurement): Promise<RatedUsage[]> {
  const { meter, spans } = measurement
  const values = sqlValues()
  const grouped = meter.groupBy.length > 0
  const { rows } = await sql.query<{ at: number; k: Values | null; quantity: string }>(
    `with m as (${measuredSql(measurement, values)})
     select m.at, ${grouped ? 'm.k' : 'null::jsonb as k'}, (${quantitySql(meter)})::text as quantity from m
     group by ${grouped ? 'grouping sets ((m.at), (m.at, m.k))' : 'm.at'}`,
    values.list,
  )
  const bySpan = rowsBySpan(spans, rows)
  return bySpan.map((found, at): RatedUsage => {
    const quantityOf = (text: string | undefined): Decimal => {
      const quantity = text === undefined ? ZERO : decimal(text)
      return meter.aggregation === 'weighted_sum' ? averageLevel(quantity, spans[at]!) : quantity
    }
    const whole = quantityOf(found.find((row) => row.k === null)?.quantity)
    if (!grouped) return { quantity: whole }
    const groups = found.flatMap((row) =>
      row.k === null ? [] : [{ key: row.k, usage: { quantity: quantityOf(row.quantity) } }],
    )
    return { quantity: whole, groups: presentGroups(meter, groups) }
  })
}

async function measureSlices(sql: Sql, measurement: Measurement): Promise<RatedUsage[]> {
  const { meter, spans } = measurement
  const values = sqlValues()
  const { rows } = await sql.query<{
    at: number
    k: Values
    unit_price: string | null
    quantity: string
  }>(
    `with m as (${measuredSql(measurement, values)})
     select m.at, m.k, m.unit_price::text, sum(m.value)::text as quantity from m
     group by m.at, m.k, m.unit_price order by m.at, m.unit_price`,
    values.list,
  )
  return rowsBySpan(spans, rows).map((found) => usageOf(meter, found, 'slices', toPart))
}

async function readEvents(sql: Sql, measurement: Measurement): Promise<RatedUsage[]> {
  const { meter, needs, spans } = measurement
  const values = sqlValues()
  const measured = measuredSql(measurement, values)
  const properties = needs.properties.map((name) => `m.properties -> ${values.bind(name)}::text`)
  const { rows } = await sql.query<{
    at: number
    k: Values
    unit_price: string | null
    quantity: string
    micros: string
    properties: Values
  }>(
    `with m as (${measured})
     select m.at, m.k, m.unit_price::text, m.value::text as quantity,
            round(extract(epoch from m.event_date) * 1000000)::text as micros,
            jsonb_build_array(${properties.join(', ')}) as properties
     from m order by m.at, m.event_date, m.event_key`,
    values.list,
  )
  return rowsBySpan(spans, rows).map((found) =>
    usageOf(meter, found, 'events', (row) => ({
      ...toPart(row),
      eventDate: Number(row.micros),
      properties: presentProperties(needs.properties, row.properties),
    })),
  )
}

/** Values of properties in the order of their names; null: the event has none. */
type Values = readonly (string | null)[]

interface PartRow {
  readonly k: Values
  readonly unit_price: string | null
  readonly quantity: string
}

const toPart = (row: PartRow): RatedEvent => ({
  quantity: decimal(row.quantity),
  ...(row.unit_price === null ? {} : { unitPrice: decimal(row.unit_price) }),
})

/** Usage made of parts (events, or slices of a price), whole and by group. */
function usageOf<Row extends PartRow>(
  meter: Meter,
  rows: readonly Row[],
  field: 'events' | 'slices',
  toPartOf: (row: Row) => RatedEvent,
): RatedUsage {
  const parts = rows.map((row) => ({ key: row.k, part: toPartOf(row) }))
  const usage = (some: typeof parts) => ({
    quantity: sum(some.map(({ part }) => part.quantity)),
    [field]: some.map(({ part }) => part),
  })
  if (meter.groupBy.length === 0) return usage(parts)
  const byKey = new Map<string, typeof parts>()
  for (const one of parts) {
    const key = JSON.stringify(one.key)
    const known = byKey.get(key)
    if (known) known.push(one)
    else byKey.set(key, [one])
  }
  const groups = [...byKey.values()].map((some) => ({ key: some[0]!.key, usage: usage(some) }))
  return { ...usage(parts), groups: presentGroups(meter, groups) }
}

/** In the order in which `aggregate` gives them. */
function presentGroups(
  { groupBy }: Meter,
  groups: readonly { key: Values; usage: UsageGroup['usage'] }[],
): UsageGroup[] {
  return groups
    .map(({ key, usage }) => ({ text: JSON.stringify(key), key, usage }))
    .sort((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ key, usage }) => ({ properties: presentProperties(groupBy, key), usage }))
}

function presentProperties(names: readonly string[], values: Values): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name, at) => {
      const value = values[at]
      return typeof value === 'string' ? [[name, value] as const] : []
    }),
  )
}
