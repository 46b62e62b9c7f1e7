import { once } from 'node:events'
import { sameContent } from '@billtrail/db'
import { sqlState } from '@billtrail/platform'
import type { PoolClient } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import {
  COPY_COLUMNS,
  COPY_HEADER,
  COPY_TRAILER,
  PLAIN_COPY_COLUMNS,
  RUN_COLUMNS,
  RUN_ROWS_MAX,
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

const COPY_TARGETS = {
  events: `events (${EVENT_COPY_COLUMNS})`,
  plain_events: `events (${PLAIN_COPY_COLUMNS.join(', ')})`,
  incoming: `incoming (${EVENT_COPY_COLUMNS})`,
  staged_events: `staged_events (${EVENT_COPY_COLUMNS})`,
  incoming_runs: `incoming_runs (${RUN_COLUMNS.join(', ')})`,
} as const

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

const MAKE_MERGING = `
  create temp table if not exists incoming_left_over (line int not null) on commit delete rows;
  create temp table if not exists incoming_runs (
    place int not null, customer_no int not null, event_keys uuid[] not null, event_dates timestamptz[] not null,
    event_type_nos int[] not null, lines int[] not null, quantities numeric[] not null,
    unit_prices numeric[] not null, event_ids text[] collate "C" not null, properties jsonb[] not null
  ) on commit delete rows`

/** `incoming` and what merging and claiming need beside it. */
export async function makeMerging(client: PoolClient): Promise<void> {
  await makeIncoming(client)
  await client.query(MAKE_MERGING)
}

/** Sends binary rows to a table. Rejects with the server's error as soon as it comes. */
export async function copyRows(
  client: PoolClient,
  table: keyof typeof COPY_TARGETS,
  chunks: Iterable<Buffer>,
): Promise<void> {
  const stream = client.query(copyFrom(`copy ${COPY_TARGETS[table]} from stdin (format binary)`))
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

const FATES = `
  select (select coalesce(sum(rows), 0)::int from duplicates) as duplicates,
         (select count(*)::int from conflicts) as conflicts`

/** Notes the rows of `met` that are duplicates or conflicts. */
const CLAIM_MET = `
  duplicates as (
    insert into duplicate_claims (customer_no, upload_no, event_keys, lines)
    select customer_no, upload_no, array_agg(event_key), array_agg(line)
    from (
      select customer_no, upload_no, event_key, line,
             row_number() over (partition by customer_no) - 1 as place
      from met where is_same
    ) placed
    group by customer_no, upload_no, place / ${RUN_ROWS_MAX}
    returning cardinality(lines) as rows
  ), conflicts as (
    insert into event_claims (${EVENT_COPY_COLUMNS}, outcome)
    select ${EVENT_COPY_COLUMNS}, 'conflict' from met where is_known and not is_same
    returning line
  )`

// One look at what is stored decides for every row. Among new rows of one key the first line counts; the others, and
// rows overtaken by the API meanwhile, are left over.
const merge = (onConflict: string) => `
  with met as materialized (
    select i.*, e.customer_no is not null as is_known, ${sameContent('i', 'e')} as is_same
    from incoming i
    left join events e on e.customer_no = i.customer_no and e.event_key = i.event_key
  ), ${CLAIM_MET}, stored as (
    insert into events (${EVENT_COPY_COLUMNS})
    select distinct on (customer_no, event_key) ${EVENT_COPY_COLUMNS} from met where not is_known
    order by customer_no, event_key, line
    ${onConflict}
    returning line
  ), remaining as (
    insert into incoming_left_over (line)
    select line from met
    where not is_known
      and (select count(*) from met where not is_known) > (select count(*) from stored)
      and not exists (select from stored s where s.line = met.line)
    returning line
  )
  ${FATES}, (select count(*)::int from stored) as accepted,
  (select count(*)::int from remaining) as remaining`

const CLAIM_LEFT_OVER = `
  with met as materialized (
    select i.*, true as is_known, ${sameContent('i', 'e')} as is_same
    from incoming_left_over o
    join incoming i on i.line = o.line
    join events e on e.customer_no = i.customer_no and e.event_key = i.event_key
  ), ${CLAIM_MET}
  ${FATES}`

/**
 * Moves the incoming rows into events and answers what became of them. What is there already is a duplicate where its
 * content is the same and a conflict where it is not; both are kept as claims, in case the upload that came first is
 * withdrawn.
 */
export async function mergeIncoming(client: PoolClient): Promise<Fates> {
  await client.query('analyze incoming (customer_no, event_key)')
  const { accepted, duplicates, conflicts, remaining } = await mergeAll(client)
  const others = remaining > 0 ? await claimLeftOver(client) : { duplicates: 0, conflicts: 0 }
  await client.query('truncate incoming')
  return {
    accepted,
    duplicates: duplicates + others.duplicates,
    conflicts: conflicts + others.conflicts,
  }
}

/**
 * Only the API can store one of these keys meanwhile. Being prepared for that costs as much again as storing
 * (each row is looked for first and confirmed afterwards), so that it is tried without.
 */
async function mergeAll(client: PoolClient): Promise<Fates & { remaining: number }> {
  await client.query('savepoint merge')
  try {
    const { rows } = await client.query<Fates & { remaining: number }>(merge(''))
    await client.query('release savepoint merge')
    return rows[0]!
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    await client.query('rollback to savepoint merge')
    const { rows } = await client.query<Fates & { remaining: number }>(
      merge('on conflict (customer_no, event_key) do nothing'),
    )
    return rows[0]!
  }
}

async function claimLeftOver(client: PoolClient): Promise<Omit<Fates, 'accepted'>> {
  await client.query('analyze incoming_left_over')
  const { rows } = await client.query<Omit<Fates, 'accepted'>>(CLAIM_LEFT_OVER)
  await client.query('truncate incoming_left_over')
  return rows[0]!
}

// A run is compared as a whole: its arrays with those of what is stored under its keys, in the same order. That costs a
// third of comparing row by row, and what is claimed is the run's own arrays. Only runs that differ are joined by key.
const RUN_CONTENT = [
  ['event_dates', 'event_date'],
  ['event_type_nos', 'event_type_no'],
  ['quantities', 'quantity'],
  ['unit_prices', 'unit_price'],
  ['event_ids', 'event_id'],
  ['properties', 'properties'],
] as const
const eachContent = (text: (array: string, column: string) => string, glue = ', ') =>
  RUN_CONTENT.map(([array, column]) => text(array, column)).join(glue)

const CLAIM_RUNS = `
  with compared as materialized (
    select r.*, s.*,
           s.stored_keys is not distinct from r.event_keys
             and ${eachContent((array) => `s.stored_${array} is not distinct from r.${array}`, ' and ')} as is_same
    from incoming_runs r
    cross join lateral (
      select count(*) as known, array_agg(e.event_key order by e.event_key) as stored_keys,
             ${eachContent((array, column) => `array_agg(e.${column} order by e.event_key) as stored_${array}`)}
      from events e
      where e.customer_no = r.customer_no and e.event_key = any (r.event_keys)
    ) s
  ), met as materialized (
    select c.place, c.customer_no, m.*
    from compared c
    cross join lateral (
      select u.event_key, u.line, c.place + u.number::int - 1 as row_place,
             ${eachContent((array) => `u.${array} is not distinct from s.${array}`, ' and ')} as is_same
      from unnest(c.event_keys, c.lines, ${eachContent((array) => `c.${array}`)}) with ordinality
        as u (event_key, line, ${eachContent((array) => array)}, number)
      join unnest(c.stored_keys, ${eachContent((array) => `c.stored_${array}`)})
        as s (event_key, ${eachContent((array) => array)}) on s.event_key = u.event_key
    ) m
    where not c.is_same and c.known > 0
  ), claimed as (
    insert into duplicate_claims (customer_no, upload_no, event_keys, lines)
    select customer_no, $1::int, event_keys, lines from compared where is_same
    union all
    select customer_no, $1::int, array_agg(event_key), array_agg(line)
    from met where is_same group by place, customer_no
  )
  select (select coalesce(sum(known), 0)::int from compared) as known,
         (select string_agg(int4send(place), '') from compared where not is_same) as runs,
         (select string_agg(int4send(row_place), '') from met where is_same) as claimed,
         (select string_agg(int4send(row_place), '') from met where not is_same) as conflicts`

/** What `claimRuns` found. Places are those in the order of the rows that were sent. */
export interface ComparedRuns {
  /** How many of the rows have a stored key. */
  readonly known: number
  /** The first places of the runs that were not claimed as a whole; in these: */
  readonly runs: readonly number[]
  /** the places of rows that were claimed all the same, */
  readonly claimed: readonly number[]
  /** and of those that say something else than what is stored. The others are new. */
  readonly conflicts: readonly number[]
}

/**
 * Claims the rows of incoming runs as duplicates that say what is stored under their keys. Reads no more of events than
 * those keys, by the primary key, however large either is.
 */
export async function claimRuns(client: PoolClient, uploadNo: number): Promise<ComparedRuns> {
  // The arrays' length is unknown to the planner: by key from the table, by hashing among the elements of a run.
  await client.query(
    'set local enable_seqscan = off; set local enable_bitmapscan = off; set local enable_nestloop = off',
  )
  const { rows } = await client.query<
    { known: number } & Record<'runs' | 'claimed' | 'conflicts', Buffer | null>
  >(CLAIM_RUNS, [uploadNo])
  await client.query(
    'set local enable_seqscan = on; set local enable_bitmapscan = on; set local enable_nestloop = on',
  )
  await client.query('truncate incoming_runs')
  const { known, runs, claimed, conflicts } = rows[0]!
  return {
    known,
    runs: integersOf(runs),
    claimed: integersOf(claimed),
    conflicts: integersOf(conflicts),
  }
}

/** Of a list that may be as long as a batch, bytes are read much faster than the text of an array. */
function integersOf(bytes: Buffer | null): number[] {
  if (!bytes) return []
  return Array.from({ length: bytes.length / 4 }, (_none, index) => bytes.readInt32BE(4 * index))
}
