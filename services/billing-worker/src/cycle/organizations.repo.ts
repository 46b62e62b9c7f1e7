import type { Sql } from '@billtrail/platform'

/** What a cycle has to know of an organization. */
export interface BilledOrganization {
  readonly id: string
  readonly slug: string
  readonly groupBy: 'customer' | 'name'
  readonly billablePeriod: 'month' | 'all'
  /** The month that the organization's clock shows now. */
  readonly currentPeriod: string
  /** Changes when a setting or a customer's name does. */
  readonly namesVersion: string
}

export async function listOrganizationIds(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(
    'select id from organizations order by created_at, id',
  )
  return rows.map((row) => row.id)
}

export async function findOrganization(
  sql: Sql,
  organizationId: string,
): Promise<BilledOrganization | undefined> {
  const { rows } = await sql.query<BilledOrganization & Record<string, unknown>>(
    `select o.id, o.slug, o.billable_group_by as "groupBy", o.billable_period as "billablePeriod",
            to_char(now() at time zone o.timezone, 'YYYY-MM') as "currentPeriod",
            concat_ws(' ', o.updated_at, o.billable_group_by, o.billable_period, o.slug,
              (select max(c.updated_at) from customers c where c.organization_id = o.id)) as "namesVersion"
     from organizations o where o.id = $1`,
    [organizationId],
  )
  return rows[0]
}

/** Whether somebody waits for a run that was asked for. */
export async function hasQueuedRuns(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query<{ waits: boolean }>(
    `select exists (select from billing_runs where state = 'queued') as waits`,
  )
  return rows[0]?.waits === true
}

/** The organization's own time zone. */
export async function findOrganizationZone(sql: Sql, organizationId: string): Promise<string> {
  const { rows } = await sql.query<{ timezone: string }>(
    'select timezone from organizations where id = $1',
    [organizationId],
  )
  return rows[0]?.timezone ?? 'UTC'
}
