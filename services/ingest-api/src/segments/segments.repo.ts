import type { Sql } from '@billtrail/platform'
import type { PoolClient } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { addKey, createKeyFilter, foldKeyFilter, hashKey, type KeyFilter } from './key-filter'

/** The table that holds a segment of `events`. */
export const segmentTable = (segmentNo: number): string => `events_${Math.trunc(segmentNo)}`

/** Where an organization's events are. */
export interface SegmentNumbers {
  /** Where it stores now. */
  readonly open: number
  /** Where it did before: no key of this organization is added to them any more. */
  readonly sealed: readonly number[]
}

interface SegmentRow {
  readonly organization_id: string
  readonly segment_no: number
  readonly is_open: boolean
}

const segmentsIn = (rows: readonly SegmentRow[], organizationId: string): SegmentNumbers => {
  const ours = rows.filter((row) => row.organization_id === organizationId)
  return {
    open: ours.find((row) => row.is_open)!.segment_no,
    sealed: ours.filter((row) => !row.is_open).map((row) => row.segment_no),
  }
}

/** Where an organization's events are. The caller holds its storing lock; else it may be outdated. */
export async function segmentsOf(sql: Sql, organizationId: string): Promise<SegmentNumbers> {
  const { rows } = await sql.query<SegmentRow>(
    `select organization_id, segment_no, is_open from event_segments
     where organization_id = $1 order by segment_no`,
    [organizationId],
  )
  return segmentsIn(rows, organizationId)
}

/**
 * Goes on in another segment when the key of the open one takes `keyBytesMax` or more; answers the one that was sealed.
 * The caller holds the storing lock, and ends its transaction soon: nobody else stores for this organization meanwhile.
 */
export async function leaveFullSegment(
  sql: Sql,
  organizationId: string,
  keyBytesMax: number,
): Promise<number | undefined> {
  const { rows } = await sql.query<{ sealed: number | null }>(
    'select leave_full_segment($1, $2) as sealed',
    [organizationId, keyBytesMax],
  )
  return rows[0]!.sealed ?? undefined
}

/** Organizations whose open segment is full. */
export async function listFullOrganizations(sql: Sql, keyBytesMax: number): Promise<string[]> {
  const { rows } = await sql.query<{ organization_id: string }>(
    `select organization_id from event_segments
     where is_open and segment_no in (
       select segment_no from (select distinct segment_no from event_segments where is_open) used
       where segment_key_bytes(segment_no) >= $1)`,
    [keyBytesMax],
  )
  return rows.map((row) => row.organization_id)
}

/** A sealed segment of an organization. */
export interface SealedSegment {
  readonly organizationId: string
  readonly segmentNo: number
}

/** What the filter of a segment takes that is full, as long as it has not been made. */
const FILTER_BYTES = 6_000_000

/** Sealed segments whose filter has not been made, and the newest ones whose filters take no more than `bytesMax` together. */
export async function listSealed(sql: Sql, bytesMax: number): Promise<SealedSegment[]> {
  const { rows } = await sql.query<{ organization_id: string; segment_no: number }>(
    `select organization_id, segment_no from (
       select *, sum(coalesce(length(key_filter), ${FILTER_BYTES})) over (
                order by segment_no desc, organization_id) as bytes
       from event_segments where not is_open
     ) sealed
     where key_filter is null or bytes <= $1`,
    [bytesMax],
  )
  return rows.map((row) => ({ organizationId: row.organization_id, segmentNo: row.segment_no }))
}

// COPY takes no parameters.
const NAME_SEGMENT = `
  select set_config('billtrail.organization', $1, false), set_config('billtrail.segment', $2, false)`
const ORGANIZATION = `current_setting('billtrail.organization')::uuid`
const SEGMENT = `current_setting('billtrail.segment')::smallint`

const HEADER_BYTES = 19
const TRAILER_BYTES = 2
/** Before the one field of the one row: the number of fields, and its length. */
const FIELD_AT = HEADER_BYTES + 2 + 4

/** The filter of a sealed segment, if it has been made. By COPY: as text it would be twice as many bytes. */
export async function findKeyFilter(
  client: PoolClient,
  { organizationId, segmentNo }: SealedSegment,
): Promise<KeyFilter | undefined> {
  await client.query(NAME_SEGMENT, [organizationId, segmentNo])
  const stream = client.query(
    copyTo(`
      copy (
        select key_filter from event_segments
        where organization_id = ${ORGANIZATION} and segment_no = ${SEGMENT} and key_filter is not null
      ) to stdout (format binary)`),
  )
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  if (bytes.length <= FIELD_AT) return undefined
  const words = new Uint32Array((bytes.length - FIELD_AT - TRAILER_BYTES) / 4)
  bytes.copy(Buffer.from(words.buffer), 0, FIELD_AT, bytes.length - TRAILER_BYTES)
  return { words }
}

/** What one key takes in the index of a segment, without the free room on its pages. */
const KEY_BYTES = 36
const ROW_BYTES = 2 + (4 + 4) + (4 + 16)

/** Reads the keys of a sealed segment and keeps what they make for whoever asks next: 3 M keys in about a second. */
export async function makeKeyFilter(
  client: PoolClient,
  { organizationId, segmentNo }: SealedSegment,
  bitsPerKey: number,
): Promise<KeyFilter> {
  const { rows } = await client.query<{ bytes: string }>('select segment_key_bytes($1) as bytes', [
    segmentNo,
  ])
  const filter = createKeyFilter(Number(rows[0]!.bytes) / KEY_BYTES, bitsPerKey)
  await client.query(NAME_SEGMENT, [organizationId, segmentNo])
  const keys = client.query(
    copyTo(`
      copy (
        select customer_no, event_key from ${segmentTable(segmentNo)}
        where customer_no in (select customer_no from customers where organization_id = ${ORGANIZATION})
      ) to stdout (format binary)`),
  )
  const added = await addKeys(filter, keys)
  const folded = foldKeyFilter(filter, added, bitsPerKey)
  await client.query(
    'update event_segments set key_filter = $3 where organization_id = $1 and segment_no = $2 and not is_open',
    [organizationId, segmentNo, Buffer.from(folded.words.buffer)],
  )
  return folded
}

/** Adds binary rows (customer_no int4, event_key uuid); answers how many. */
async function addKeys(filter: KeyFilter, chunks: AsyncIterable<Buffer>): Promise<number> {
  const hash = { place: 0, bits: 0 }
  const words = new Uint32Array(4)
  let rest: Buffer = Buffer.alloc(0)
  let isHeaderRead = false
  let added = 0
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = isHeaderRead ? 0 : HEADER_BYTES
    if (bytes.length < at) {
      rest = bytes
      continue
    }
    isHeaderRead = true
    for (; at + ROW_BYTES <= bytes.length; at += ROW_BYTES) {
      for (let word = 0; word < 4; word++) words[word] = bytes.readUInt32BE(at + 14 + 4 * word)
      hashKey(bytes.readInt32BE(at + 6), words, 0, hash)
      addKey(filter, hash)
      added++
    }
    rest = bytes.subarray(at)
  }
  return added
}

/** A key, as a uuid or its hexadecimal digits, that a sealed segment may hold. */
export interface SealedKey {
  readonly segmentNo: number
  readonly customerNo: number
  readonly eventKey: string
}

/** Which of these keys, by their places, their segments hold. `offset 0`: each is looked up in its own partition. */
export async function findStoredKeys(sql: Sql, keys: readonly SealedKey[]): Promise<number[]> {
  const { rows } = await sql.query<{ place: number }>(
    `select sent.place::int - 1 as place
     from unnest($1::smallint[], $2::int[], $3::uuid[]) with ordinality
       as sent (segment_no, customer_no, event_key, place)
     where exists (
       select from events e
       where e.segment_no = sent.segment_no and e.customer_no = sent.customer_no
         and e.event_key = sent.event_key offset 0)`,
    [
      keys.map((key) => key.segmentNo),
      keys.map((key) => key.customerNo),
      keys.map((key) => key.eventKey),
    ],
  )
  return rows.map((row) => row.place)
}
