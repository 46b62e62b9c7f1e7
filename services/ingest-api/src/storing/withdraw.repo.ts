import { countUsage, holdOffClaims } from '@billtrail/db'
import type { PoolClient, QueryResult } from 'pg'
import {
  countPendingUsage,
  DROP_EMPTY_USAGE,
  expectFewRows,
  expectManyRows,
  isUsageCounted,
  UNCOUNT,
} from './count-usage.repo'
import { CONTENT, dropPacked, judge, PACKED_CLAIMS } from './judge-claims.repo'

const WITHDRAWN_CUSTOMERS = `
  create temp table withdrawn_customers on commit drop as
  select customer_no from events where upload_no = $1 group by customer_no`

// Row by row, once, with statistics: of arrays the planner knows too little to join them well.
const RIVALS = `
  create temp table rivals on commit drop as
  select c.*, 'duplicate' as outcome
  from (${PACKED_CLAIMS}) c join withdrawn_customers w on w.customer_no = c.customer_no
  union all
  select c.customer_no, c.event_key, c.upload_no, c.line, c.claimed_at, null, c.outcome
  from event_claims c join withdrawn_customers w on w.customer_no = c.customer_no`

// Of the rows that named the same event, the one that came first takes its place.
const HEIRS = `
  create temp table heirs on commit drop as
  select distinct on (r.customer_no, r.event_key) r.*
  from rivals r
  join events e on e.customer_no = r.customer_no and e.event_key = r.event_key
  where e.upload_no = $1
  order by r.customer_no, r.event_key, r.claimed_at, r.upload_no, r.line`

// A duplicate says what the event says: only who brought it changes, and no usage.
const PASS_ON = `
  update events e set upload_no = h.upload_no, line = h.line
  from heirs h
  where e.upload_no = $1 and e.customer_no = h.customer_no and e.event_key = h.event_key
    and h.outcome = 'duplicate'`

// What the event said is kept beside what it will say, as old_….
const REPLACEMENTS = `
  create temp table replacements on commit drop as
  select h.customer_no, h.event_key, h.upload_no, h.line,
         ${CONTENT.map((column) => `c.${column}`).join(', ')},
         ${CONTENT.map((column) => `e.${column} as old_${column}`).join(', ')}
  from heirs h
  join event_claims c on c.customer_no = h.customer_no and c.event_key = h.event_key
    and c.upload_no = h.upload_no and c.line = h.line and c.claimed_at = h.claimed_at
  join events e on e.customer_no = h.customer_no and e.event_key = h.event_key
  where h.outcome = 'conflict'`

const LOWER_USAGE = `
  with gone as (
    select customer_no, event_type_no, event_date, quantity, unit_price from events where upload_no = $1
  ), ${UNCOUNT}
  select count(*) from lowered`

const REPLACE = `
  with stored as (
    update events e set upload_no = r.upload_no, line = r.line,
      ${CONTENT.map((column) => `${column} = r.${column}`).join(', ')}
    from replacements r
    where e.customer_no = r.customer_no and e.event_key = r.event_key
    returning e.customer_no, e.event_type_no, e.event_date, e.quantity, e.unit_price
  ), ${countUsage}
  select count(*) from counted`

const DROP_CLAIMS_OF_HEIRS = `
  delete from event_claims c using heirs h
  where h.pack is null and c.customer_no = h.customer_no and c.event_key = h.event_key
    and c.upload_no = h.upload_no and c.line = h.line and c.claimed_at = h.claimed_at`

const COUNT_HEIRS = `
  update uploads u
    set accepted = u.accepted + h.heirs, duplicates = u.duplicates - h.duplicates,
        conflicts = u.conflicts - h.conflicts
  from (
    select upload_no, count(*) as heirs, count(*) filter (where outcome = 'duplicate') as duplicates,
           count(*) filter (where outcome = 'conflict') as conflicts
    from heirs group by upload_no
  ) h
  where u.upload_no = h.upload_no`

/** Up to here they are looked up among the events by key; more are joined with all that the upload brought. */
const FEW_RIVALS = 50_000
const BY_KEY = ['enable_hashjoin', 'enable_mergejoin', 'enable_seqscan', 'enable_bitmapscan']
const AT_ONCE = ['enable_nestloop']

const set = (settings: readonly string[], value: 'on' | 'off'): string =>
  settings.map((setting) => `set local ${setting} = ${value}`).join('; ')

/**
 * Runs a statement that joins so many rows with events. How it does that is decided here: how many events an upload brought is
 * known too late for a good guess of the planner's.
 */
async function joinEvents(
  client: PoolClient,
  rows: number,
  run: () => Promise<QueryResult>,
): Promise<number> {
  const avoided = rows <= FEW_RIVALS ? BY_KEY : AT_ONCE
  await client.query(set(avoided, 'off'))
  const { rowCount } = await run()
  await client.query(set(avoided, 'on'))
  return rowCount ?? 0
}

/** Notes in `heirs` whose claims take over events of an upload; answers how many. */
async function findHeirs(client: PoolClient, uploadNo: number): Promise<number> {
  await client.query(WITHDRAWN_CUSTOMERS, [uploadNo])
  await client.query('analyze withdrawn_customers')
  const { rowCount: rivals } = await client.query(RIVALS)
  if (rivals === 0 || rivals === null) return 0
  await client.query('analyze rivals')
  const heirs = await joinEvents(client, rivals, () => client.query(HEIRS, [uploadNo]))
  await client.query('analyze heirs')
  return heirs
}

/**
 * Passes on the events of an upload that others have sent as well. Those that say something else are only noted, in
 * `replacements`: the usage of the events they replace has to be taken off first.
 */
async function passOn(
  client: PoolClient,
  organizationId: string,
  uploadNo: number,
  heirs: number,
): Promise<void> {
  // An upload of which some events are counted and some are not could not be counted any more.
  await countPendingUsage(client, organizationId)
  await joinEvents(client, heirs, () => client.query(PASS_ON, [uploadNo]))
  await client.query(REPLACEMENTS)
  await client.query(DROP_CLAIMS_OF_HEIRS)
  await dropPacked(client, 'select pack, line from heirs where pack is not null')
  await client.query(COUNT_HEIRS)
}

/**
 * Withdraws exactly the events an upload brought, with their usage. Where other uploads (or the API) sent the
 * same event, the first of them takes it over and the rest are compared with it anew: it ends as if this
 * upload had never been sent. The caller has taken the storing lock.
 */
export async function withdrawEvents(
  client: PoolClient,
  organizationId: string,
  uploadNo: number,
): Promise<void> {
  await holdOffClaims(client)
  // Each join of a million rows hashes or sorts them once.
  await client.query(`set local work_mem = '128MB'`)
  await client.query('delete from event_claims where upload_no = $1', [uploadNo])
  await client.query('delete from duplicate_claims where upload_no = $1', [uploadNo])
  const heirs = await findHeirs(client, uploadNo)
  if (heirs > 0) await passOn(client, organizationId, uploadNo, heirs)
  if (await isUsageCounted(client, uploadNo)) {
    await expectManyRows(client)
    await client.query(LOWER_USAGE, [uploadNo])
    await expectFewRows(client)
  }
  if (heirs > 0) {
    await client.query(REPLACE)
    await judge(client, 'select * from replacements')
  }
  await client.query('delete from events where upload_no = $1', [uploadNo])
  await client.query(DROP_EMPTY_USAGE)
}
