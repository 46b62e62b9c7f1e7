import { monthSpans, type Month } from '@billtrail/db'
import type { Sql } from '@billtrail/platform'

/** One period's side of the first law, over the months that were looked at. Quantities are plain decimal texts. */
export interface PeriodCheck {
  readonly period: string
  readonly months: number
  readonly events_quantity: string
  readonly usage_quantity: string
  readonly billed_quantity: string
  /** Usage that came after the month's invoice was finalized, or while this was counted. */
  readonly unbilled_quantity: string
  /** Months in which one of these disagrees with another, without a reason. */
  readonly months_off: number
  /** Bills and invoices whose lines do not sum to their total. */
  readonly totals_off: number
}

/** What lines come to with the taxes that are not in them already. */
const summed = (lines: string, taxes: string): string => `(
  select coalesce(sum((line ->> 'amount')::numeric), 0) from (
    select * from jsonb_array_elements(${lines})
    union all
    select * from jsonb_array_elements(coalesce(${taxes}, '[]')) as tax where not (tax ->> 'inclusive')::boolean
  ) as summed (line))`

// All in one statement, so of one moment. Usage is committed together with its place in the queue, or as that of an
// upload that waits to be counted: a month that neither names and no finalized invoice holds back must be billed to
// the last digit.
const CHECK = `
  with months as materialized (
    select * from unnest($1::int[], $2::text[], $3::timestamptz[], $4::timestamptz[])
      as m (customer_no, period, period_start, period_end)
  ), in_events as (
    select m.customer_no, m.period, sum(e.quantity) as quantity
    from months m join events e on e.customer_no = m.customer_no
      and e.event_date >= m.period_start and e.event_date < m.period_end
    group by 1, 2
  ), in_usage as (
    select m.customer_no, m.period, u.quantity, u.is_pending
    from months m cross join lateral (
      select sum(quantity) as quantity, bool_or(is_pending) as is_pending
      from usage where customer_no = m.customer_no and period = m.period
    ) u
  ), in_bills as (
    select m.customer_no, m.period, sum(b.quantity) as quantity,
           count(*) filter (where b.total <> lines.total) as totals_off
    from months m join bills b on b.customer_no = m.customer_no and b.period = m.period
    cross join lateral (
      select ${summed('b.lines', 'b.taxes')} as total
    ) as lines
    group by 1, 2
  ), in_invoices as (
    select m.customer_no, m.period,
           count(*) filter (where i.total <> ${summed('i.lines', 'i.taxes')}) as totals_off
    from months m join invoices i on i.customer_no = m.customer_no and i.period = m.period
    where i.status in ('finalized', 'paid')
    group by 1, 2
  ), waiting as (
    select customer_no, period from months join usage_changes using (customer_no, period)
    union
    select customer_no, period from months join months_to_bill using (customer_no, period)
  ), compared as (
    select m.period,
           coalesce(e.quantity, 0) as in_events, coalesce(u.quantity, 0) as in_usage,
           coalesce(b.quantity, 0) as billed,
           i.customer_no is not null or w.customer_no is not null or coalesce(u.is_pending, false) as may_differ,
           coalesce(b.totals_off, 0) + coalesce(i.totals_off, 0) as totals_off
    from months m
    left join in_events e using (customer_no, period)
    left join in_usage u using (customer_no, period)
    left join in_bills b using (customer_no, period)
    left join in_invoices i using (customer_no, period)
    left join waiting w using (customer_no, period)
  )
  select period, count(*)::int as months,
         trim_scale(sum(in_events))::text as events_quantity,
         trim_scale(sum(in_usage))::text as usage_quantity,
         trim_scale(sum(billed))::text as billed_quantity,
         trim_scale(sum(case when may_differ then in_usage - billed else 0 end))::text as unbilled_quantity,
         count(*) filter (where in_events <> in_usage or (not may_differ and in_usage <> billed))::int as months_off,
         sum(totals_off)::int as totals_off
  from compared group by period order by period`

/** Compares events, usage, bills and invoices of these months, by period. */
export async function checkMonths(sql: Sql, months: readonly Month[]): Promise<PeriodCheck[]> {
  if (months.length === 0) return []
  const spans = await monthSpans(sql, months)
  const { rows } = await sql.query<PeriodCheck & Record<string, unknown>>(CHECK, [
    months.map((month) => month.customerNo),
    months.map((month) => month.period),
    spans.map((span) => span.start.toISOString()),
    spans.map((span) => span.end.toISOString()),
  ])
  return rows
}

/** Every customer with usage, a bill or events in a period: what a check of the whole period looks at. */
export async function findMonthsOf(
  sql: Sql,
  scope: { organizationId: string; period: string },
): Promise<Month[]> {
  const { rows } = await sql.query<{ customer_no: number }>(
    `select c.customer_no from customers c
     where c.organization_id = $1 and (
       exists (select from usage u where u.customer_no = c.customer_no and u.period = $2)
       or exists (select from bills b where b.customer_no = c.customer_no and b.period = $2)
       or exists (
         select from events e where e.customer_no = c.customer_no
           and e.event_date >= ($2 || '-01')::timestamp at time zone 'UTC' - interval '1 day'
           and e.event_date < ($2 || '-01')::timestamp at time zone 'UTC' + interval '1 month 1 day'))
     order by 1`,
    [scope.organizationId, scope.period],
  )
  return rows.map((row) => ({ customerNo: row.customer_no, period: scope.period }))
}
