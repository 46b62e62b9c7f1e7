import { moneyText, toPlain } from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'
import { rateMonths, type Month, type RatedMonth } from '../rate-months'
import { lineItemsOf, taxItemsOf } from './bill-lines'
import { monthSpans } from './month-spans'

/** Changes when the same usage and plan could come to another bill. */
export const ENGINE_VERSION = '1'

export interface BillRequest {
  readonly organizationId: string
  readonly billingRunId: string
  readonly months: readonly Month[]
}

export interface BilledMonths {
  /** Months that now have a bill of all their usage. */
  readonly billed: number
  /** Months whose usage is gone, and their bill with it. */
  readonly removed: number
  /** Months whose invoice is finalized already: their bill stays as it is. */
  readonly closed: number
}

const keyOf = (month: Month): string => `${month.customerNo} ${month.period}`

/**
 * Rates months anew and replaces their bills and drafts. A month whose invoice is finalized is left alone: usage that
 * came too late for it stays unbilled, and the checks of law 1 show it.
 *
 * Runs inside the caller's transaction. Invoices are locked before bills are read, as finalizing does it.
 */
export async function billMonths(sql: Sql, request: BillRequest): Promise<BilledMonths> {
  const months = [...new Map(request.months.map((month) => [keyOf(month), month])).values()]
  const closed = await lockInvoices(sql, request.organizationId, months)
  const open = months.filter((month) => !closed.has(keyOf(month)))
  const rated = await rateMonths(sql, { organizationId: request.organizationId, months: open })
  const used = rated.filter(isBilled)
  const billed = new Set(used.map(keyOf)).size
  await removeBills(sql, open, used)
  await upsertBills(sql, request, used)
  await upsertDrafts(sql, request.organizationId, used)
  await markChanged(sql, request.organizationId, open)
  return { billed, removed: open.length - billed, closed: closed.size }
}

/** Usage is billed; without any, only what a subscription costs all the same: flat charges and minimums. */
const isBilled = ({ events, subscribed, bill }: RatedMonth): boolean =>
  events > 0 || (subscribed && bill.lines.length > 0)

const columnsOf = (months: readonly Month[]): [number[], string[]] => [
  months.map((month) => month.customerNo),
  months.map((month) => month.period),
]

/** The months that have a document which never changes. */
async function lockInvoices(
  sql: Sql,
  organizationId: string,
  months: readonly Month[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql.query<{ customer_no: number; period: string; status: string }>(
    `select i.customer_no, i.period, i.status from invoices i
     join unnest($2::int[], $3::text[]) as w (customer_no, period)
       on w.customer_no = i.customer_no and w.period = i.period
     where i.organization_id = $1 and i.status <> 'void'
     order by i.customer_no, i.id for update of i`,
    [organizationId, ...columnsOf(months)],
  )
  const closed = rows.filter((row) => row.status !== 'draft')
  return new Set(closed.map((row) => keyOf({ customerNo: row.customer_no, period: row.period })))
}

/** Takes away bills and drafts of these months in a currency that is not billed any more. */
async function removeBills(
  sql: Sql,
  months: readonly Month[],
  used: readonly RatedMonth[],
): Promise<void> {
  const values = [...columnsOf(months), ...columnsOf(used), used.map((month) => month.currency)]
  const stale = (table: string): string => `
    (${table}.customer_no, ${table}.period) in (select * from unnest($1::int[], $2::text[]))
    and (${table}.customer_no, ${table}.period, ${table}.currency)
      not in (select * from unnest($3::int[], $4::text[], $5::text[]))`
  await sql.query(`delete from invoices where status = 'draft' and ${stale('invoices')}`, values)
  await sql.query(`delete from bills where ${stale('bills')}`, values)
}

async function upsertBills(
  sql: Sql,
  request: BillRequest,
  rated: readonly RatedMonth[],
): Promise<void> {
  await sql.query(
    `insert into bills (customer_no, period, currency, organization_id, plan_version_id, quantity, events,
                        plan, lines, taxes, total, engine_version, billing_run_id, billed_at)
     select customer_no, period, currency, $1, plan_version_id, quantity, events, plan, lines, taxes, total, $2, $3, now()
     from unnest($4::int[], $5::text[], $6::text[], $7::uuid[], $8::numeric[], $9::bigint[], $10::jsonb[], $11::jsonb[],
                 $12::jsonb[], $13::numeric[])
       as b (customer_no, period, currency, plan_version_id, quantity, events, plan, lines, taxes, total)
     order by customer_no, period
     on conflict (customer_no, period, currency) do update
       set plan_version_id = excluded.plan_version_id, quantity = excluded.quantity, events = excluded.events,
           plan = excluded.plan, lines = excluded.lines, taxes = excluded.taxes, total = excluded.total, engine_version = excluded.engine_version,
           billing_run_id = excluded.billing_run_id, billed_at = excluded.billed_at`,
    [
      request.organizationId,
      ENGINE_VERSION,
      request.billingRunId,
      ...columnsOf(rated),
      rated.map((month) => month.currency),
      rated.map((month) => month.planVersionId),
      rated.map((month) => toPlain(month.quantity)),
      rated.map((month) => month.events),
      rated.map((month) => (month.ownPlan ? JSON.stringify(month.plan) : null)),
      rated.map((month) => JSON.stringify(lineItemsOf(month.bill))),
      rated.map((month) => JSON.stringify(taxItemsOf(month.bill))),
      rated.map((month) => moneyText(month.bill.total, month.currency)),
    ],
  )
}

async function upsertDrafts(
  sql: Sql,
  organizationId: string,
  rated: readonly RatedMonth[],
): Promise<void> {
  const spans = await monthSpans(sql, rated)
  await sql.query(
    `insert into invoices (customer_no, organization_id, period, currency, status, period_start, period_end)
     select customer_no, $1, period, currency, 'draft', period_start, period_end
     from unnest($2::int[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[])
       as d (customer_no, period, currency, period_start, period_end)
     order by customer_no, period
     on conflict (customer_no, period, currency) where status <> 'void' do update
       set period_start = excluded.period_start, period_end = excluded.period_end
       where invoices.status = 'draft'
         and (invoices.period_start, invoices.period_end) <> (excluded.period_start, excluded.period_end)`,
    [
      organizationId,
      ...columnsOf(rated),
      rated.map((month) => month.currency),
      spans.map((span) => span.start.toISOString()),
      spans.map((span) => span.end.toISOString()),
    ],
  )
}

/** The billable files of these months may be out of date from now on. */
async function markChanged(
  sql: Sql,
  organizationId: string,
  months: readonly Month[],
): Promise<void> {
  await sql.query(
    `insert into billable_changes (organization_id, period)
     select distinct $1::uuid, period from unnest($2::text[]) as m (period) order by 2
     on conflict (organization_id, period) do update set changed_at = clock_timestamp()`,
    [organizationId, months.map((month) => month.period)],
  )
}
