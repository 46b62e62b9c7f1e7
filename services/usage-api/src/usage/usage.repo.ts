import { shownEvents, type StoredEvent } from '@billtrail/db'
import type { Sql } from '@billtrail/platform'

export interface UsageCustomer {
  readonly customerNo: number
  readonly registered: boolean
}

/** A customer that shows: registered, or with usage. */
export async function findUsageCustomer(
  sql: Sql,
  organizationId: string,
  id: string,
): Promise<UsageCustomer | undefined> {
  const { rows } = await sql.query<{ customer_no: number; registered: boolean }>(
    `select customer_no, registered_at is not null as registered
     from customers c
     where organization_id = $1 and id = $2
       and (registered_at is not null or exists (select from usage u where u.customer_no = c.customer_no))`,
    [organizationId, id],
  )
  const row = rows[0]
  return row && { customerNo: row.customer_no, registered: row.registered }
}

export async function findOrganizationZone(sql: Sql, organizationId: string): Promise<string> {
  const { rows } = await sql.query<{ timezone: string }>(
    'select timezone from organizations where id = $1',
    [organizationId],
  )
  return rows[0]!.timezone
}

export async function findEvent(
  sql: Sql,
  key: { customerNo: number; eventKey: string },
): Promise<StoredEvent | undefined> {
  const { rows } = await sql.query<StoredEvent & Record<string, unknown>>(
    `${shownEvents('events')} where e.customer_no = $1 and e.event_key = $2`,
    [key.customerNo, key.eventKey],
  )
  return rows[0]
}
