import { sameContent } from '@billtrail/db'
import { sqlState } from '@billtrail/platform'
import type { PoolClient } from 'pg'
import { RUN_ROWS_MAX } from '../reading'
import { EVENT_COPY_COLUMNS, type Fates, UNIQUE_VIOLATION } from './store.repo'

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
const merge = (table: string, onConflict: string) => `
  with met as materialized (
    select i.*, e.customer_no is not null as is_known, ${sameContent('i', 'e')} as is_same
    from incoming i
    left join events e on e.customer_no = i.customer_no and e.event_key = i.event_key
  ), ${CLAIM_MET}, stored as (
    insert into ${table} (${EVENT_COPY_COLUMNS})
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
 * Moves the incoming rows into `table`, the open segment of events, and answers what became of them. What is there already is a duplicate where its
 * content is the same and a conflict where it is not; both are kept as claims, in case the upload that came first is
 * withdrawn.
 */
export async function mergeIncoming(client: PoolClient, table: string): Promise<Fates> {
  await client.query('analyze incoming (customer_no, event_key)')
  const { accepted, duplicates, conflicts, remaining } = await mergeAll(client, table)
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
async function mergeAll(client: PoolClient, table: string): Promise<Fates & { remaining: number }> {
  await client.query('savepoint merge')
  try {
    const { rows } = await client.query<Fates & { remaining: number }>(merge(table, ''))
    await client.query('release savepoint merge')
    return rows[0]!
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    await client.query('rollback to savepoint merge')
    const { rows } = await client.query<Fates & { remaining: number }>(
      merge(table, 'on conflict (customer_no, event_key) do nothing'),
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
