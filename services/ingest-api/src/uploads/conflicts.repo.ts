import { sameContent } from '@billtrail/db'
import type { Sql } from '@billtrail/platform'

const DATE = (column: string) =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

/** One side of a conflict. */
export interface EventValue {
  readonly event_type: string
  readonly event_date: string
  readonly quantity: string
  readonly unit_price: string | null
  readonly properties: Readonly<Record<string, string>>
}

export interface ConflictRow {
  readonly line: number
  readonly customer_id: string
  readonly event_id: string
  readonly stored: EventValue
  readonly stored_upload_id: string | null
  readonly stored_line: number
  readonly sent: EventValue
}

const CONTENT = ['event_type_no', 'event_date', 'quantity', 'unit_price', 'properties']

/** `of` stands before each column of `CONTENT`. */
const value = (of: string, type: string) => `
  json_build_object('event_type', ${type}.name, 'event_date', ${DATE(`${of}event_date`)},
    'quantity', trim_scale(${of}quantity)::text, 'unit_price', trim_scale(${of}unit_price)::text,
    'properties', coalesce(hstore_to_json(${of}properties), '{}'))`

const SENT = {
  /** What a stored upload noted when it met another value. */
  claimed: `event_claims c`,
  /** What a preview would meet now: claims are made when it is committed. */
  staged: `(select *, 'conflict' as outcome from staged_events) c`,
}

const columnsAs = (alias: string, as: string) =>
  CONTENT.map((column) => `${alias}.${column} as ${as}_${column}`).join(', ')

// By itself: joined to more tables at once, stored events were looked for by their customer and then compared with the key.
const FOUND = (sent: string) => `
  select c.line, c.customer_no, c.event_key, c.event_id, ${columnsAs('c', 'sent')},
         ${columnsAs('e', 'stored')}, e.line as stored_line, e.upload_no as stored_upload_no
  from ${sent}
  join events e on e.customer_no = c.customer_no and e.event_key = c.event_key
  where c.upload_no = $1 and c.outcome = 'conflict' and c.line > $2 and not ${sameContent('c', 'e')}
  order by c.line limit $3`

/**
 * Both values side by side, in file order; `limit + 1` of them, from behind the line of the cursor. Of a preview,
 * `staged`, the rows that differ from what is stored now.
 */
export async function listConflicts(
  sql: Sql,
  uploadNo: number,
  page: { limit: number; after: number | undefined; from: keyof typeof SENT },
): Promise<ConflictRow[]> {
  const { rows } = await sql.query<ConflictRow>(
    `select f.line, cu.id as customer_id, coalesce(f.event_id, f.event_key::text) as event_id,
       ${value('f.stored_', 'et')} as stored, u.id as stored_upload_id, f.stored_line,
       ${value('f.sent_', 'ct')} as sent
     from (${FOUND(SENT[page.from])}) f
     join customers cu on cu.customer_no = f.customer_no
     join event_types et on et.event_type_no = f.stored_event_type_no
     join event_types ct on ct.event_type_no = f.sent_event_type_no
     left join uploads u on u.upload_no = f.stored_upload_no
     order by f.line`,
    [uploadNo, page.after ?? 0, page.limit + 1],
  )
  return rows
}

/** The value that counts under a key, and where it came from; for the audit log. */
export async function findStoredEvent(
  sql: Sql,
  key: { customer_no: number; event_key: string },
): Promise<object | null> {
  const { rows } = await sql.query<{ stored: object; upload_no: number; line: number }>(
    `select ${value('e.', 'et')} as stored, e.upload_no, e.line
     from events e join event_types et on et.event_type_no = e.event_type_no
     where e.customer_no = $1 and e.event_key = $2`,
    [key.customer_no, key.event_key],
  )
  const row = rows[0]
  return row ? { ...row.stored, event_key: key.event_key, from_upload_no: row.upload_no } : null
}
