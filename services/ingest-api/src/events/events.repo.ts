import type { Sql } from '@billtrail/platform'
import type { Pool } from 'pg'

export interface EventRow {
  readonly customer_no: number
  readonly customer_id: string
  readonly event_key: string
  readonly event_id: string
  readonly event_type: string
  readonly event_date: string
  readonly quantity: string
  readonly unit_price: string | null
  readonly properties: Readonly<Record<string, string>> | null
  readonly upload_no: number
  readonly upload_id: string | null
  readonly filename: string | null
  readonly line: number
}

export interface EventFilter {
  readonly organizationId: string
  readonly customerId: string | undefined
  readonly eventType: string | undefined
  /** Half-open: from `startDate`, before `endDate`. */
  readonly startDate: string | undefined
  readonly endDate: string | undefined
  readonly uploadNo: number | undefined
}

const EVENT = `
  e.customer_no, c.id as customer_id, e.event_key, coalesce(e.event_id, e.event_key::text) as event_id,
  t.name as event_type, to_char(e.event_date at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as event_date,
  trim_scale(e.quantity) as quantity, trim_scale(e.unit_price) as unit_price,
  hstore_to_json(e.properties) as properties,
  e.upload_no, u.id as upload_id, u.filename, e.line`

const DETAILS = `
  join event_types t on t.event_type_no = e.event_type_no
  left join uploads u on u.upload_no = e.upload_no`

const MATCHES = `
  ($2::text is null or c.id = $2)
  and ($3::text is null or e.event_type_no = (
    select event_type_no from event_types where organization_id = $1 and name = $3))
  and ($4::timestamptz is null or e.event_date >= $4)
  and ($5::timestamptz is null or e.event_date < $5)`

const matchValues = (filter: EventFilter): unknown[] => [
  filter.organizationId,
  filter.customerId ?? null,
  filter.eventType ?? null,
  filter.startDate ?? null,
  filter.endDate ?? null,
]

// One customer after the other, so that a page reads no more customers than it shows.
const BY_CUSTOMER = `
  select ${EVENT}
  from (
    select customer_no, id from customers c
    where organization_id = $1 and ($2::text is null or id = $2) and customer_no >= coalesce($6, 0)
    order by customer_no
  ) c
  cross join lateral (
    select * from events e
    where e.customer_no = c.customer_no and ${MATCHES}
      and ($6::int is null or e.customer_no > $6 or (e.event_date, e.event_key) > ($7::timestamptz, $8::uuid))
    order by e.event_date, e.event_key limit $9
  ) e ${DETAILS}
  order by c.customer_no, e.event_date, e.event_key limit $9`

/** By customer, then date: `limit + 1` of them from behind the cursor. */
export async function listEventsByCustomer(
  sql: Sql,
  filter: EventFilter,
  page: { limit: number; after: readonly [number, string, string] | undefined },
): Promise<EventRow[]> {
  const { rows } = await sql.query<EventRow>(BY_CUSTOMER, [
    ...matchValues(filter),
    page.after?.[0] ?? null,
    page.after?.[1] ?? null,
    page.after?.[2] ?? null,
    page.limit + 1,
  ])
  return rows
}

const BY_LINE = `
  select ${EVENT}
  from events e join customers c on c.customer_no = e.customer_no ${DETAILS}
  where c.organization_id = $1 and e.upload_no = $6 and e.line > $7 and ${MATCHES}
  order by e.line limit $8`

/** Of one upload, in file order: `limit + 1` of them from behind the line of the cursor. */
export async function listEventsByLine(
  sql: Sql,
  filter: EventFilter & { uploadNo: number },
  page: { limit: number; after: number | undefined },
): Promise<EventRow[]> {
  const { rows } = await sql.query<EventRow>(BY_LINE, [
    ...matchValues(filter),
    filter.uploadNo,
    page.after ?? 0,
    page.limit + 1,
  ])
  return rows
}

const EXPORTED = `
  from events e join customers c on c.customer_no = e.customer_no ${DETAILS}
  where c.organization_id = $1 and ${MATCHES} and ($6::int is null or e.upload_no = $6)`

const FETCH_ROWS = 5_000

/** What an export writes: the names of all properties first, then the events in pages. */
export interface ExportSource {
  readonly propertyNames: readonly string[]
  readonly pages: AsyncIterable<readonly EventRow[]>
}

/** Reads matching events through a cursor, as they were at one moment; memory does not grow with their number. */
export async function exportEvents(
  pool: Pool,
  filter: EventFilter,
  write: (source: ExportSource) => Promise<void>,
): Promise<void> {
  const values = [...matchValues(filter), filter.uploadNo ?? null]
  const client = await pool.connect()
  try {
    await client.query('begin isolation level repeatable read read only')
    await client.query('set local statement_timeout = 0')
    const names = await client.query<{ name: string }>(
      `select distinct skeys(e.properties) as name ${EXPORTED} and e.properties is not null order by 1`,
      values,
    )
    await client.query(
      `declare exported no scroll cursor for
       select ${EVENT} ${EXPORTED} order by e.customer_no, e.event_date, e.event_key`,
      values,
    )
    async function* pages(): AsyncGenerator<readonly EventRow[]> {
      for (;;) {
        const { rows } = await client.query<EventRow>(`fetch ${FETCH_ROWS} from exported`)
        if (rows.length === 0) return
        yield rows
      }
    }
    await write({ propertyNames: names.rows.map((row) => row.name), pages: pages() })
    await client.query('commit')
    client.release()
  } catch (error) {
    // A cursor may be half read: this connection is not worth cleaning up.
    client.release(true)
    throw error
  }
}

/** The internal number of an upload; undefined where the organization has none with this id. */
export async function findUploadNo(
  sql: Sql,
  organizationId: string,
  id: string,
): Promise<number | undefined> {
  const { rows } = await sql.query<{ upload_no: number }>(
    'select upload_no from uploads where organization_id = $1 and id = $2',
    [organizationId, id],
  )
  return rows[0]?.upload_no
}
