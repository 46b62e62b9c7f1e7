import type { InvoiceKey } from '@billtrail/db'
import type { Sql } from '@billtrail/platform'

export interface DueScope {
  readonly organizationId: string
  /** null: every month. */
  readonly period: string | null
  /** How long after its last event a month stays open; null: it need not wait. */
  readonly graceHours: number | null
  readonly limit: number
}

/**
 * Drafts of months that have ended in the customer's zone, long enough after the last event for that customer and
 * month arrived, and whose bill is up to date. The organization's own grace counts before the worker's.
 */
export async function findDueInvoices(sql: Sql, scope: DueScope): Promise<InvoiceKey[]> {
  const { rows } = await sql.query<{ customer_no: number; id: string }>(
    `select i.customer_no, i.id
     from invoices i join organizations o on o.id = i.organization_id
     where i.organization_id = $1 and i.status = 'draft' and i.period_end <= now()
       and ($2::text is null or i.period = $2)
       and ($3::numeric is null or not exists (
         select from usage u
         where u.customer_no = i.customer_no and u.period = i.period
           and u.last_received_at > now() - make_interval(secs => (coalesce(o.grace_hours, $3) * 3600)::float8)))
       and not exists (
         select from usage_changes q where q.customer_no = i.customer_no and q.period = i.period)
       and not exists (
         select from months_to_bill q where q.customer_no = i.customer_no and q.period = i.period)
     order by i.period, i.customer_no limit $4`,
    [scope.organizationId, scope.period, scope.graceHours, scope.limit],
  )
  return rows.map((row) => ({ customerNo: row.customer_no, id: row.id }))
}

/** Whether the month still has drafts although it is over. */
export async function hasOpenDrafts(
  sql: Sql,
  scope: { organizationId: string; period: string | null },
): Promise<boolean> {
  const { rows } = await sql.query<{ open: boolean }>(
    `select exists (
       select from invoices
       where organization_id = $1 and period = $2 and status = 'draft' and period_end <= now()) as open`,
    [scope.organizationId, scope.period],
  )
  return rows[0]?.open === true
}
