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

/** A stored event as the caller sees it; numbers without trailing zeros, the date in UTC to the microsecond. */
export interface StoredEvent {
  readonly event_id: string
  readonly event_type: string
  readonly event_date: string
  readonly quantity: string
  readonly unit_price: string | null
  readonly properties: Readonly<Record<string, string>>
  /** The month it counts in, in the customer's zone. */
  readonly period: string
}

export async function findEvent(
  sql: Sql,
  key: { customerNo: number; eventKey: string },
): Promise<StoredEvent | undefined> {
  const { rows } = await sql.query<StoredEvent>(
    `select coalesce(e.event_id, e.event_key::text) as event_id, t.name as event_type,
            to_char(e.event_date at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as event_date,
            trim_scale(e.quantity)::text as quantity, trim_scale(e.unit_price)::text as unit_price,
            coalesce(e.properties, '{}') as properties,
            to_char(e.event_date at time zone coalesce(c.timezone, o.timezone), 'YYYY-MM') as period
     from events e
     join event_types t on t.event_type_no = e.event_type_no
     join customers c on c.customer_no = e.customer_no
     join organizations o on o.id = c.organization_id
     where e.customer_no = $1 and e.event_key = $2`,
    [key.customerNo, key.eventKey],
  )
  return rows[0]
}

export interface TypeTotal {
  readonly event_type: string
  readonly quantity: string
  readonly events: number
}

/** A customer's month by event type, in the order of the types' names; their own prices make no difference. */
export async function findMonthByType(
  sql: Sql,
  month: { customerNo: number; period: string },
): Promise<TypeTotal[]> {
  const { rows } = await sql.query<{ event_type: string; quantity: string; events: string }>(
    `select t.name as event_type, trim_scale(sum(u.quantity))::text as quantity, sum(u.events)::text as events
     from usage u join event_types t on t.event_type_no = u.event_type_no
     where u.customer_no = $1 and u.period = $2
     group by t.name order by t.name`,
    [month.customerNo, month.period],
  )
  return rows.map((row) => ({ ...row, events: Number(row.events) }))
}
