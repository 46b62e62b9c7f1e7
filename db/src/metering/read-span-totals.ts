import { type Meter, type Decimal, decimal } from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'
import { type CustomerSpan, rowsBySpan, spansSql } from './customer-span'
import { takesSql, valueSql } from './meter-sql'
import { sqlValues } from './sql-values'

/** All events of a span: those of each type without a price of their own, and those with one by that price. */
export interface SpanTotals {
  readonly types: readonly { eventType: string; quantity: string; events: number }[]
  readonly ownPrices: readonly { unitPrice: string; quantity: string }[]
  readonly ownPriceEvents: number
}

/** What a part of a month holds, in the form in which usage is kept of a whole one; in the order of the spans. */
export async function readSpanTotals(
  sql: Sql,
  spans: readonly CustomerSpan[],
): Promise<SpanTotals[]> {
  if (spans.length === 0) return []
  const values = sqlValues()
  const { rows } = await sql.query<{
    at: number
    name: string
    unit_price: string | null
    quantity: string
    events: string
  }>(
    `select s.at, t.name, e.unit_price::text, sum(e.quantity)::text as quantity, count(*)::text as events
     from ${spansSql(spans, values)}
     join events e on e.customer_no = s.customer_no and e.event_date >= s.span_from and e.event_date < s.span_to
     join event_types t on t.event_type_no = e.event_type_no
     group by s.at, t.name, t.event_type_no, e.unit_price order by s.at, t.event_type_no, e.unit_price`,
    values.list,
  )
  return rowsBySpan(spans, rows).map((found): SpanTotals => {
    const own = found.flatMap((row) =>
      row.unit_price === null ? [] : [{ ...row, unitPrice: row.unit_price }],
    )
    return {
      types: found
        .filter((row) => row.unit_price === null)
        .map((row) => ({
          eventType: row.name,
          quantity: row.quantity,
          events: Number(row.events),
        })),
      ownPrices: own.map(({ unitPrice, quantity }) => ({ unitPrice, quantity })),
      ownPriceEvents: own.reduce((total, row) => total + Number(row.events), 0),
    }
  })
}

/** Usage at its own prices, as slices of a price each. */
export interface OwnPriceSlice {
  readonly unitPrice: Decimal
  readonly quantity: Decimal
}

/**
 * Events with their own price that none of these meters counts, by that price; in the order of the spans. The meters
 * are those of the charges that read own prices: what they count is theirs.
 */
export async function readOwnPricesLeft(
  sql: Sql,
  request: {
    organizationId: string
    meters: readonly Meter[]
    spans: readonly CustomerSpan[]
  },
): Promise<OwnPriceSlice[][]> {
  const { organizationId, meters, spans } = request
  const values = sqlValues()
  const table = spansSql(spans, values)
  const taken = meters.map(
    (meter) =>
      `not (${takesSql(meter, { organizationId, values })} and (${valueSql(meter, values)}) is not null)`,
  )
  const { rows } = await sql.query<{ at: number; unit_price: string; quantity: string }>(
    `select s.at, e.unit_price::text, sum(e.quantity)::text as quantity
     from ${table}
     join events e on e.customer_no = s.customer_no and e.event_date >= s.span_from and e.event_date < s.span_to
     where e.unit_price is not null and ${taken.join(' and ')}
     group by s.at, e.unit_price order by s.at, e.unit_price`,
    values.list,
  )
  return rowsBySpan(spans, rows).map((found) =>
    found.map((row) => ({
      unitPrice: decimal(row.unit_price),
      quantity: decimal(row.quantity),
    })),
  )
}
