import { once } from 'node:events'
import { ownContent, sameContent } from '@billtrail/db'
import type { PoolClient } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { COPY_COLUMNS, COPY_HEADER, COPY_TRAILER } from '../reading'

/** How many rows of a batch became what. */
export interface Fates {
  readonly accepted: number
  readonly duplicates: number
  readonly conflicts: number
}

/** The columns of events, in the order in which rows are encoded. */
export const EVENT_COPY_COLUMNS = COPY_COLUMNS.join(', ')

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

/** Rows of this upload on their way into events; private to the connection, gone with the transaction. */
export async function makeIncoming(client: PoolClient): Promise<void> {
  // Merging a million rows hashes and sorts them once; one upload of an organization does so at a time.
  await client.query(`set local work_mem = '128MB'`)
  await client.query('create temp table if not exists incoming (like events) on commit delete rows')
}

/** Sends binary rows to a table. Rejects with the server's error as soon as it comes. */
export async function copyRows(
  client: PoolClient,
  table: 'events' | 'incoming' | 'staged_events',
  chunks: Iterable<Buffer>,
): Promise<void> {
  const stream = client.query(
    copyFrom(`copy ${table} (${EVENT_COPY_COLUMNS}) from stdin (format binary)`),
  )
  const server = { refused: false }
  const failure = new Promise<never>((_resolve, reject) => {
    stream.once('error', (error) => {
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

/** Takes the rows that were staged for an upload into `incoming`; answers how many there are. */
export async function loadStaged(client: PoolClient, uploadNo: number): Promise<number> {
  const { rowCount } = await client.query(
    `insert into incoming (${EVENT_COPY_COLUMNS})
     select ${EVENT_COPY_COLUMNS} from staged_events where upload_no = $1`,
    [uploadNo],
  )
  return rowCount ?? 0
}

/** Forgets the rows that were staged for an upload. */
export async function dropStaged(client: PoolClient, uploadNo: number): Promise<void> {
  await client.query('delete from staged_events where upload_no = $1', [uploadNo])
}

// `offset 0` keeps the planner from comparing the contents anew for each column that depends on the outcome.
const claim = (which: string) => `
  insert into event_claims (${EVENT_COPY_COLUMNS}, outcome)
  select customer_no, event_key, ${ownContent('event_date')}, ${ownContent('event_type_no')},
         upload_no, line, ${ownContent('quantity')}, ${ownContent('unit_price')},
         ${ownContent('event_id')}, ${ownContent('properties')}, outcome
  from (
    select i.*, case when ${sameContent('i', 'e')} then 'duplicate' else 'conflict' end as outcome
    from incoming i
    join events e on e.customer_no = i.customer_no and e.event_key = i.event_key
    where ${which}
    offset 0
  ) i`

const CLAIM_KNOWN = claim('true')

// Among rows of one key the first line counts.
const STORE_NEW = `
  insert into events (${EVENT_COPY_COLUMNS})
  select distinct on (customer_no, event_key) ${EVENT_COPY_COLUMNS} from incoming i
  where not exists (
    select from events e where e.customer_no = i.customer_no and e.event_key = i.event_key)
  order by customer_no, event_key, line
  on conflict (customer_no, event_key) do nothing`

// Repeats within these rows, and rows that were overtaken by the API between the two statements.
const CLAIM_REST = claim(`
  (e.upload_no, e.line) is distinct from (i.upload_no, i.line) and not exists (
    select from event_claims c where c.upload_no = i.upload_no and c.line = i.line)`)

/**
 * Moves `rows` incoming rows into events and answers how many were stored. What is there already is a duplicate where
 * its content is the same and a conflict where it is not; both are kept as claims, in case the upload that came
 * first is withdrawn. Known rows are looked for first, so that a file sent again writes little but its claims.
 */
export async function mergeIncoming(
  client: PoolClient,
  options: { rows: number; analyze: boolean },
): Promise<number> {
  // Statistics outlive the rows: those of the first batch will do for the next.
  if (options.analyze) await client.query('analyze incoming (customer_no, event_key)')
  const claimed = (await client.query(CLAIM_KNOWN)).rowCount ?? 0
  const stored = claimed < options.rows ? ((await client.query(STORE_NEW)).rowCount ?? 0) : 0
  if (claimed + stored < options.rows) await client.query(CLAIM_REST)
  await client.query('truncate incoming')
  return stored
}

/** How many of an upload's rows were there already, and with what content. */
export async function countClaims(
  client: PoolClient,
  uploadNo: number,
): Promise<{ duplicates: number; conflicts: number }> {
  const { rows } = await client.query<{ duplicates: number; conflicts: number }>(
    `select count(*) filter (where outcome = 'duplicate')::int as duplicates,
            count(*) filter (where outcome = 'conflict')::int as conflicts
     from event_claims where upload_no = $1`,
    [uploadNo],
  )
  return rows[0]!
}
