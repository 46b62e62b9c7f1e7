import type { Sql } from '@billtrail/platform'

/** Rows of all committed uploads by their fate, beside what of them lies in events. */
export interface RowsOfLedger {
  readonly uploads: string
  readonly rows: string
  readonly accepted: string
  readonly duplicates: string
  readonly conflicts: string
  readonly rejected: string
  readonly events_from_uploads: string
  readonly events_from_api: string
}

export async function sumRows(sql: Sql, organizationId: string): Promise<RowsOfLedger> {
  const { rows } = await sql.query<RowsOfLedger & Record<string, unknown>>(
    `with fates as (
       select count(*) as uploads, coalesce(sum(rows), 0) as rows, coalesce(sum(accepted), 0) as accepted,
              coalesce(sum(duplicates), 0) as duplicates, coalesce(sum(conflicts), 0) as conflicts,
              coalesce(sum(rejected), 0) as rejected
       from uploads where organization_id = $1 and state = 'committed'
     ), stored as (
       select count(*) filter (where e.upload_no > 0) as events_from_uploads,
              count(*) filter (where e.upload_no = 0) as events_from_api
       from customers c join events e on e.customer_no = c.customer_no where c.organization_id = $1
     )
     select * from fates, stored`,
    [organizationId],
  )
  return rows[0]!
}

/** One month of the ledger: the same quantity, counted in three places. */
export interface PeriodOfLedger {
  readonly period: string
  readonly events: string
  readonly quantity_in_events: string
  readonly quantity_in_usage: string
  readonly quantity_billed: string
}

/** By month of the customer's own time zone; all months, or one. */
export async function sumPeriods(
  sql: Sql,
  organizationId: string,
  period: string | undefined,
): Promise<PeriodOfLedger[]> {
  const { rows } = await sql.query<PeriodOfLedger & Record<string, unknown>>(
    `with in_events as (
       select to_char(e.event_date at time zone coalesce(c.timezone, o.timezone), 'YYYY-MM') as period,
              count(*) as events, sum(e.quantity) as quantity
       from organizations o
       join customers c on c.organization_id = o.id
       join events e on e.customer_no = c.customer_no
       where o.id = $1 and ($2::text is null
         or to_char(e.event_date at time zone coalesce(c.timezone, o.timezone), 'YYYY-MM') = $2)
       group by 1
     ), in_usage as (
       select u.period, sum(u.quantity) as quantity
       from (
         select u.period, u.quantity
         from customers c join counted_usage u on u.customer_no = c.customer_no
         where c.organization_id = $1
         union all
         select period, quantity from pending_usage where organization_id = $1
       ) u
       where $2::text is null or u.period = $2 group by 1
     ), billed as (
       select period, sum(quantity) as quantity from bills
       where organization_id = $1 and ($2::text is null or period = $2) group by 1
     )
     select period, coalesce(e.events, 0) as events,
            trim_scale(coalesce(e.quantity, 0)) as quantity_in_events,
            trim_scale(coalesce(u.quantity, 0)) as quantity_in_usage,
            trim_scale(coalesce(b.quantity, 0)) as quantity_billed
     from in_events e full join in_usage u using (period) full join billed b using (period)
     order by period`,
    [organizationId, period ?? null],
  )
  return rows
}
