import { once } from 'node:events'
import type { PoolClient } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import {
  CLAIM_COLUMNS,
  COPY_COLUMNS,
  COPY_HEADER,
  COPY_TRAILER,
  KEY_COLUMNS,
  PLAIN_COPY_COLUMNS,
  RUN_COLUMNS,
} from '../reading'

export const UNIQUE_VIOLATION = '23505'

/** How many rows of a batch became what. */
export interface Fates {
  readonly accepted: number
  readonly duplicates: number
  readonly conflicts: number
}

/** The columns of events, in the order in which rows are encoded. */
export const EVENT_COPY_COLUMNS = COPY_COLUMNS.join(', ')

/** A table and the columns that are copied into it. */
export interface CopyTarget {
  readonly table: string
  readonly columns: readonly string[]
}

/** Rows of events on their way into `table`; plain ones have no other columns than those of any row. */
export const eventsInto = (table: string, isPlain = false): CopyTarget => ({
  table,
  columns: isPlain ? PLAIN_COPY_COLUMNS : COPY_COLUMNS,
})

export const RUNS_INTO: CopyTarget = { table: 'incoming_runs', columns: RUN_COLUMNS }
export const KEYS_INTO: CopyTarget = { table: 'incoming_keys', columns: KEY_COLUMNS }
export const CLAIMS_INTO: CopyTarget = { table: 'duplicate_claims', columns: CLAIM_COLUMNS }

/** Names the advisory locks of uploads that are alive; the second number is the upload's. */
const ALIVE_LOCK = 84_201

/**
 * Opens an upload: its row, and a lock that lives as long as this connection, so that an upload whose process
 * was killed can be told from one that is busy.
 */
export async function openUpload(
  client: PoolClient,
  upload: {
    organizationId: string
    filename: string
    options: object
    bytesExpected: number | null
    createdBy: string
  },
): Promise<{ id: string; uploadNo: number }> {
  const { rows } = await client.query<{ id: string; upload_no: number }>(
    `with opened as (
       insert into uploads (organization_id, filename, options, bytes_expected, created_by, state)
       values ($1, $2, $3, $4, $5, 'processing') returning id, upload_no
     )
     select id, upload_no, pg_advisory_lock(${ALIVE_LOCK}, upload_no) from opened`,
    [
      upload.organizationId,
      upload.filename,
      JSON.stringify(upload.options),
      upload.bytesExpected,
      upload.createdBy,
    ],
  )
  const row = rows[0]!
  return { id: row.id, uploadNo: row.upload_no }
}

/** Lets go of the lock that says the upload is alive. */
export async function letUploadGo(client: PoolClient, uploadNo: number): Promise<void> {
  await client.query(`select pg_advisory_unlock(${ALIVE_LOCK}, $1)`, [uploadNo])
}

/** Takes the lock of an upload whose process died; false when it is alive after all. */
export async function tryToAdopt(client: PoolClient, uploadNo: number): Promise<boolean> {
  const { rows } = await client.query<{ free: boolean }>(
    `select pg_try_advisory_lock(${ALIVE_LOCK}, $1) as free`,
    [uploadNo],
  )
  return rows[0]!.free
}

/** Fails uploads that were still being read when their process died. Nothing of them was committed. */
export const FAIL_ABANDONED = `
  update uploads set state = 'failed', completed_at = now(), failure_code = 'interrupted',
    failure_message = 'The service stopped while this upload was being stored. Nothing of it counts; send it again.'
  where upload_no in (
    select upload_no from uploads where state = 'processing' and staged_at is null
      and pg_try_advisory_xact_lock(${ALIVE_LOCK}, upload_no))
    and state = 'processing'
  returning id`

const organizationLock = 'hashtext($1)'
const STORING_LOCK = 84_202

/**
 * Becomes the one upload of its organization that stores into events until its transaction ends. Two
 * that hold many keys each could otherwise wait for one another (docs/decisions/0005).
 */
export async function waitForStoring(client: PoolClient, organizationId: string): Promise<void> {
  await client.query(`select pg_advisory_xact_lock(${STORING_LOCK}, ${organizationLock})`, [
    organizationId,
  ])
}

/** The same without waiting: false when another upload is storing. */
export async function tryStoring(client: PoolClient, organizationId: string): Promise<boolean> {
  const { rows } = await client.query<{ free: boolean }>(
    `select pg_try_advisory_xact_lock(${STORING_LOCK}, ${organizationLock}) as free`,
    [organizationId],
  )
  return rows[0]!.free
}

// Which segment a row goes to is decided when it is stored.
const MAKE_INCOMING = `
  create temp table if not exists incoming (like events) on commit delete rows;
  alter table incoming alter segment_no drop not null`

/** Rows of this upload on their way into events; private to the connection, gone with the transaction. */
export async function makeIncoming(client: PoolClient): Promise<void> {
  // Merging a million rows hashes and sorts them once; one upload of an organization does so at a time.
  await client.query(`set local work_mem = '128MB'`)
  await client.query(MAKE_INCOMING)
}

// What stays for the length of a statement is not worth compressing.
const MAKE_MERGING = `
  create temp table if not exists incoming_left_over (line int not null) on commit delete rows;
  create temp table if not exists incoming_runs (
    place int not null, customer_no int not null, event_keys uuid[] storage external not null,
    event_dates timestamptz[] storage external not null, event_type_nos int[] storage external not null,
    lines int[] storage external not null, quantities numeric[] storage external not null,
    unit_prices numeric[] storage external not null, event_ids text[] storage external collate "C" not null,
    properties hstore[] storage external not null
  ) on commit delete rows;
  create temp table if not exists incoming_keys (
    place int not null, customer_nos int[] storage external not null, event_keys uuid[] storage external not null
  ) on commit delete rows`

/** `incoming` and what merging and claiming need beside it. */
export async function makeMerging(client: PoolClient): Promise<void> {
  await makeIncoming(client)
  await client.query(MAKE_MERGING)
}

export const copyText = ({ table, columns }: CopyTarget): string =>
  `copy ${table} (${columns.join(', ')}) from stdin (format binary)`

/** Binary rows with what stands before and behind them. */
export function* copyChunks(rows: Iterable<Buffer>): Generator<Buffer> {
  yield COPY_HEADER
  yield* rows
  yield COPY_TRAILER
}

/** Sends binary rows to a table. Rejects with the server's error as soon as it comes. */
export async function copyRows(
  client: PoolClient,
  target: CopyTarget,
  chunks: Iterable<Buffer>,
): Promise<void> {
  const stream = client.query(copyFrom(copyText(target)))
  const server = { refused: false }
  const failure = new Promise<never>((_resolve, reject) => {
    // It comes twice when the connection is closed because it gave no answer.
    stream.on('error', (error) => {
      server.refused = true
      reject(error)
    })
  })
  // Whoever waits below hears of it; between two waits nobody does, and that must not end the process.
  failure.catch(() => undefined)
  const write = (bytes: Buffer) =>
    Promise.race([new Promise<void>((resolve) => stream.write(bytes, () => resolve())), failure])
  try {
    await write(COPY_HEADER)
    for (const chunk of chunks) await write(chunk)
  } catch (error) {
    // A COPY that the server has ended itself must not be ended again.
    if (!server.refused) stream.destroy()
    throw error
  }
  stream.end(COPY_TRAILER)
  await Promise.race([once(stream, 'finish'), failure])
}

const HASHED_ID = `'row-' || replace(d.event_key::text, '-', '') || '-' || d.ordinal`
const sha = `sha256(convert_to('event_id:' || ${HASHED_ID}, 'UTF8'))`
const EVENT_KEY_OF_ID = `
  encode(set_byte(set_byte(substring(${sha} from 1 for 16),
    6, (get_byte(${sha}, 6) & 15) | 128), 8, (get_byte(${sha}, 8) & 63) | 128), 'hex')::uuid`

// A key of version 8 without an id is the hash of a row's content: the reader makes such keys, and only those.
const NAME_DERIVED = `
  update incoming i set event_id = ${HASHED_ID}, event_key = ${EVENT_KEY_OF_ID}
  from (
    select line, event_key, row_number() over (partition by customer_no, event_key order by line) as ordinal
    from incoming where event_id is null and substr(event_key::text, 15, 1) = '8'
  ) d
  where i.line = d.line`

/**
 * Gives rows without an id theirs: made of their content and their ordinal among the file's equal rows, so that the
 * same file always yields the same ids. The key of that id is the one the domain's `eventKey` defines.
 */
export async function nameDerivedRows(client: PoolClient): Promise<void> {
  await client.query(NAME_DERIVED)
}

/** Takes the rows that were staged for an upload into `incoming`. */
export async function loadStaged(client: PoolClient, uploadNo: number): Promise<void> {
  await client.query(
    `insert into incoming (${EVENT_COPY_COLUMNS})
     select ${EVENT_COPY_COLUMNS} from staged_events where upload_no = $1`,
    [uploadNo],
  )
}

/** Forgets the rows that were staged for an upload. */
export async function dropStaged(client: PoolClient, uploadNo: number): Promise<void> {
  await client.query('delete from staged_events where upload_no = $1', [uploadNo])
}
