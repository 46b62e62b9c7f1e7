import { periodBounds, type Span } from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'
import type { Month } from '../rating/read-months'

/** When each month begins and ends, in the order given: by the customer's own zone, else the organization's. */
export async function monthSpans(sql: Sql, months: readonly Month[]): Promise<Span[]> {
  const { rows } = await sql.query<{ customer_no: number; zone: string }>(
    `select c.customer_no, coalesce(c.timezone, o.timezone) as zone
     from customers c join organizations o on o.id = c.organization_id
     where c.customer_no = any($1::int[])`,
    [[...new Set(months.map((month) => month.customerNo))]],
  )
  const zones = new Map(rows.map((row) => [row.customer_no, row.zone]))
  const known = new Map<string, Span>()
  return months.map(({ customerNo, period }) => {
    const zone = zones.get(customerNo)!
    const key = `${period} ${zone}`
    const span = known.get(key) ?? periodBounds(period, zone)
    known.set(key, span)
    return span
  })
}
