import type { PoolClient } from 'pg'

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

const claimRunsIn = (table: string) => `
  with compared as materialized (
    select r.*, s.*,
           s.stored_keys is not distinct from r.event_keys
             and ${eachContent((array) => `s.stored_${array} is not distinct from r.${array}`, ' and ')} as is_same
    from incoming_runs r
    cross join lateral (
      select count(*) as known, array_agg(e.event_key order by e.event_key) as stored_keys,
             ${eachContent((array, column) => `array_agg(e.${column} order by e.event_key) as stored_${array}`)}
      from ${table} e
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
 * Claims the rows of incoming runs as duplicates that say what is stored under their keys in `table`: events, or one of its
 * segments. Reads no more of events than
 * those keys, by the primary key, however large either is.
 */
export async function claimRuns(
  client: PoolClient,
  table: string,
  uploadNo: number,
): Promise<ComparedRuns> {
  // The arrays' length is unknown to the planner: by key from the table, by hashing among the elements of a run.
  await client.query(
    'set local enable_seqscan = off; set local enable_bitmapscan = off; set local enable_nestloop = off',
  )
  const { rows } = await client.query<
    { known: number } & Record<'runs' | 'claimed' | 'conflicts', Buffer | null>
  >(claimRunsIn(table), [uploadNo])
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
