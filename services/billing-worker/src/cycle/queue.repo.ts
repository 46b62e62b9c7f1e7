import type { Month } from '@billtrail/db'
import type { Sql } from '@billtrail/platform'

/** Months are billed so many at a time: what one transaction holds in memory, and what a crash makes us repeat. */
export const BATCH_MONTHS = 2_000

export interface QueueScope {
  readonly organizationId: string
  /** null: every month. */
  readonly period: string | null
}

/**
 * Moves what changed since the last cycle to where it is billed from, each month once. What is committed later
 * stays behind for the next cycle. `pending`: also the months of uploads whose usage waits to be counted, for
 * somebody who uploads, asks for a run and expects to see it billed.
 */
export async function takeChanges(
  sql: Sql,
  scope: QueueScope & { pending: boolean },
): Promise<void> {
  await sql.query(
    `with taken as (
       delete from usage_changes q using customers c
       where c.customer_no = q.customer_no and c.organization_id = $1
         and ($2::text is null or q.period = $2)
       returning q.customer_no, q.period
     )
     insert into months_to_bill (customer_no, period, organization_id)
     select customer_no, period, $1::uuid from (
       select customer_no, period from taken
       union
       select customer_no, period from pending_usage
       where $3 and organization_id = $1 and ($2::text is null or period = $2)
     ) as changed order by 1, 2
     on conflict (customer_no, period) do nothing`,
    [scope.organizationId, scope.period, scope.pending],
  )
}

export async function countMonths(sql: Sql, scope: QueueScope): Promise<number> {
  const { rows } = await sql.query<{ months: string }>(
    `select count(*) as months from months_to_bill
     where organization_id = $1 and ($2::text is null or period = $2)`,
    [scope.organizationId, scope.period],
  )
  return Number(rows[0]?.months ?? 0)
}

/** The next months after the one given, by their key. */
export async function nextMonths(
  sql: Sql,
  scope: QueueScope,
  after: Month | undefined,
): Promise<Month[]> {
  const { rows } = await sql.query<{ customer_no: number; period: string }>(
    `select customer_no, period from months_to_bill
     where organization_id = $1 and ($2::text is null or period = $2)
       and (customer_no, period) > ($3, $4)
     order by customer_no, period limit $5`,
    [scope.organizationId, scope.period, after?.customerNo ?? 0, after?.period ?? '', BATCH_MONTHS],
  )
  return rows.map((row) => ({ customerNo: row.customer_no, period: row.period }))
}

export async function removeMonths(sql: Sql, months: readonly Month[]): Promise<void> {
  await sql.query(
    `delete from months_to_bill
     where (customer_no, period) in (select * from unnest($1::int[], $2::text[]))`,
    [months.map((month) => month.customerNo), months.map((month) => month.period)],
  )
}
