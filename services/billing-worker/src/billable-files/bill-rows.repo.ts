import { OWN_PRICE_CHARGE_ID, decimal, toPlain, ZERO, type Decimal } from '@billtrail/domain'
import { rateableFromSums, rateQuantities } from '@billtrail/db'
import type { Sql } from '@billtrail/platform'
import type { BillableRow } from './billable-customers-text'

export interface BillsScope {
  readonly organizationId: string
  /** null: all time. */
  readonly period: string | null
}

/** The name on a month's invoice is that of the day it was finalized; before that, today's. */
const NAME = `case when i.status <> 'draft' then i.customer ->> 'name' else c.name end`

const BILLS = `
  from bills b
  join customers c on c.customer_no = b.customer_no
  left join invoices i on i.customer_no = b.customer_no and i.period = b.period and i.currency = b.currency
    and i.status <> 'void'
  where b.organization_id = $1`

/** What each customer's bills come to, in each currency. */
export async function readRowsByCustomer(sql: Sql, scope: BillsScope): Promise<BillableRow[]> {
  const { rows } = await sql.query<BillableRow & Record<string, unknown>>(
    scope.period === null
      ? `select c.id as "customerId", c.name, b.currency, sum(b.quantity)::text as quantity, sum(b.total)::text as amount
         from bills b join customers c on c.customer_no = b.customer_no
         where b.organization_id = $1 group by c.customer_no, b.currency`
      : `select c.id as "customerId", ${NAME} as name, b.currency, b.quantity::text, b.total::text as amount
         ${BILLS} and b.period = $2`,
    scope.period === null ? [scope.organizationId] : [scope.organizationId, scope.period],
  )
  return rows
}

const NUMERIC_ID = `c.id ~ '^[0-9]+$'`
const SCOPE = `and ($2::text is null or b.period = $2)`

interface NameRow {
  name: string
  currency: string
  quantity: string
  lowest_id: string
}

interface ChargeRow {
  name: string
  currency: string
  plan_version_id: string
  charge_id: string
  quantity: string
  unrounded_amount: string
}

/**
 * Customers of one name as one row, under the lowest of their ids: quantities are summed and then rated, by the plan
 * version that billed them. A customer without a name stands for itself. What cannot be rated from a sum (single events,
 * groups, prices of one's own, split months, taxes) is summed as it was billed.
 */
export async function readRowsByName(sql: Sql, scope: BillsScope): Promise<BillableRow[]> {
  const values = [scope.organizationId, scope.period]
  const name = `coalesce(nullif(${NAME}, ''), c.id)`
  const { rows: names } = await sql.query<NameRow & Record<string, unknown>>(
    `select ${name} as name, b.currency, sum(b.quantity)::text as quantity,
            (array_agg(c.id order by not (${NUMERIC_ID}),
                       case when ${NUMERIC_ID} then length(ltrim(c.id, '0')) end,
                       case when ${NUMERIC_ID} then ltrim(c.id, '0') collate "C" end, c.id))[1] as lowest_id
     ${BILLS} ${SCOPE} group by 1, 2`,
    values,
  )
  const { rows: totals } = await sql.query<TotalRow & Record<string, unknown>>(
    `select ${name} as name, b.currency, b.plan_version_id, ${PLAIN} as plain, sum(b.total)::text as amount
     ${BILLS} ${SCOPE} group by 1, 2, 3, 4`,
    values,
  )
  const { rows: charges } = await sql.query<ChargeRow & Record<string, unknown>>(
    `select ${name} as name, b.currency, b.plan_version_id, line ->> 'charge_id' as charge_id,
            sum((line ->> 'quantity')::numeric)::text as quantity,
            sum((line ->> 'unrounded_amount')::numeric)::text as unrounded_amount
     ${BILLS.replace('where', `cross join lateral jsonb_array_elements(b.lines) as line where line ->> 'kind' = 'charge' and ${PLAIN} and`)}
     ${SCOPE} group by 1, 2, 3, 4`,
    values,
  )
  const amounts = await rateGroups(sql, charges, totals)
  return names.map((row) => ({
    customerId: row.lowest_id,
    name: row.name,
    quantity: row.quantity,
    currency: row.currency,
    amount: toPlain(amounts.get(groupKey(row)) ?? ZERO),
  }))
}

interface TotalRow {
  name: string
  currency: string
  plan_version_id: string
  plain: boolean
  amount: string
}

/** Nothing but the plan version and the quantities of its charges says what the bill comes to. */
const PLAIN = `(b.plan is null and b.taxes = '[]')`

const groupKey = (row: { currency: string; name: string }): string => `${row.currency} ${row.name}`

/** The total of each name in each currency. */
async function rateGroups(
  sql: Sql,
  charges: readonly ChargeRow[],
  billed: readonly TotalRow[],
): Promise<ReadonlyMap<string, Decimal>> {
  const groups = new Map<string, ChargeRow[]>()
  for (const row of charges) {
    const key = `${row.plan_version_id} ${groupKey(row)}`
    groups.set(key, [...(groups.get(key) ?? []), row])
  }
  const totals = new Map<string, Decimal>()
  const add = (row: { currency: string; name: string }, amount: Decimal) =>
    totals.set(groupKey(row), (totals.get(groupKey(row)) ?? ZERO).plus(amount))
  for (const row of billed) {
    if (row.plain && (await rateableFromSums(sql, row.plan_version_id))) continue
    add(row, decimal(row.amount))
  }
  for (const rows of groups.values()) {
    const [first] = rows
    if (!first || !(await rateableFromSums(sql, first.plan_version_id))) continue
    const own = rows.find((row) => row.charge_id === OWN_PRICE_CHARGE_ID)
    const total = await rateQuantities(sql, {
      planVersionId: first.plan_version_id,
      byCharge: new Map(
        rows.filter((row) => row !== own).map((row) => [row.charge_id, decimal(row.quantity)]),
      ),
      ownPriceAmount: own === undefined ? ZERO : decimal(own.unrounded_amount),
    })
    add(first, total)
  }
  return totals
}

export interface BillsTotals {
  readonly quantity: string
  readonly amounts: Readonly<Record<string, string>>
}

/** The sums of the bills themselves, to hold a file against. */
export async function sumBills(sql: Sql, scope: BillsScope): Promise<BillsTotals> {
  const { rows } = await sql.query<{ currency: string; quantity: string; amount: string }>(
    `select currency, sum(quantity)::text as quantity, sum(total)::text as amount from bills
     where organization_id = $1 and ($2::text is null or period = $2) group by currency order by currency`,
    [scope.organizationId, scope.period],
  )
  const quantity = rows.reduce((total, row) => total.plus(decimal(row.quantity)), ZERO)
  return {
    quantity: toPlain(quantity),
    amounts: Object.fromEntries(rows.map((row) => [row.currency, row.amount])),
  }
}
