import { countUsage, holdOffClaims, NO_UPLOAD, sameContent, sumByMonth } from '@billtrail/db'
import type { PoolClient } from 'pg'
import {
  countPendingUsage,
  expectFewRows,
  expectManyRows,
  isUsageCounted,
} from './count-usage.repo'
import { EVENT_COPY_COLUMNS } from './store.repo'

/** Takes the usage of `gone` (rows of events) off again. */
const UNCOUNT = `
  uncounted as (
    select customer_no, to_char(month, 'YYYY-MM') as period, event_type_no, own_price, quantity, amount, events
    from (${sumByMonth('gone')}) summed
  ), lowered as (
    update counted_usage u
      set quantity = u.quantity - d.quantity, amount = u.amount - d.amount, events = u.events - d.events
    from uncounted d
    where u.customer_no = d.customer_no and u.period = d.period
      and u.event_type_no = d.event_type_no and u.own_price = d.own_price
    returning u.customer_no, u.period
  ), changed as (
    insert into usage_changes (customer_no, period) select distinct customer_no, period from lowered
  )`

const CONTENT = ['event_type_no', 'event_date', 'quantity', 'unit_price', 'event_id', 'properties']

const WITHDRAWN_CUSTOMERS = `
  create temp table withdrawn_customers on commit drop as
  select customer_no, count(*) as events from events where upload_no = $1 group by customer_no`

// Row by row, once, with statistics: of arrays the planner knows too little to join them well.
const RIVALS = `
  create temp table rivals on commit drop as
  select c.* from claims c join withdrawn_customers w on w.customer_no = c.customer_no`

// Of the rows that named the same event, the one that came first takes its place. A duplicate says what the
// withdrawn event said; what that was is kept beside it as old_….
const PROMOTE = `
  create temp table promoted on commit drop as
  select distinct on (c.customer_no, c.event_key)
    c.customer_no, c.event_key, c.upload_no, c.line, c.outcome, c.claimed_at,
    ${CONTENT.map((column) => `case when c.outcome = 'duplicate' then e.${column} else c.${column} end as ${column}`).join(', ')},
    ${CONTENT.map((column) => `e.${column} as old_${column}`).join(', ')}
  from events e
  join rivals c on c.customer_no = e.customer_no and c.event_key = e.event_key
  where e.upload_no = $1
  order by c.customer_no, c.event_key, c.claimed_at, c.upload_no, c.line`

const LOWER_USAGE = `
  with gone as (
    select customer_no, event_type_no, event_date, quantity, unit_price from events where upload_no = $1
  ), ${UNCOUNT}
  select count(*) from lowered`

const DROP_EMPTY_USAGE = `
  delete from counted_usage u using usage_changes d
  where u.customer_no = d.customer_no and u.period = d.period and u.events = 0`

// Their uploads are locked first: one that is being counted is waited for, and its rows here are then counted here;
// one that waits to be counted will count them itself. It is done before any usage is touched: who counts has its
// upload locked first, too.
const LOCK_PROMOTED = `
  select from uploads where upload_no in (select upload_no from promoted) order by upload_no for update`

// To the open segment: a sealed one gets no key any more, not even one that it held a moment ago.
const STORE_PROMOTED = `
  with brought as (
    insert into events (${EVENT_COPY_COLUMNS}, segment_no)
    select ${EVENT_COPY_COLUMNS}, (
      select segment_no from event_segments where organization_id = $1 and is_open)
    from promoted
    returning customer_no, event_type_no, event_date, quantity, unit_price, upload_no
  ), stored as (
    select * from brought b
    where upload_no = ${NO_UPLOAD} or (select usage_counted from uploads u where u.upload_no = b.upload_no)
  ), ${countUsage}
  select count(*) from counted`

const DROP_PROMOTED_CLAIMS = `
  delete from event_claims c using promoted p
  where c.customer_no = p.customer_no and c.event_key = p.event_key
    and c.upload_no = p.upload_no and c.line = p.line and c.claimed_at = p.claimed_at`

/** Takes the claims `gone` (customer_no, upload_no, line) out of the arrays they are in. */
const without = (gone: string) => `
  touched as (
    delete from duplicate_claims d
    using (select distinct customer_no, upload_no from ${gone} g) g
    where d.customer_no = g.customer_no and d.upload_no = g.upload_no
    returning d.*
  ), kept as (
    insert into duplicate_claims (customer_no, upload_no, claimed_at, event_keys, lines)
    select d.customer_no, d.upload_no, d.claimed_at,
           array_agg(c.event_key order by c.place), array_agg(c.line order by c.place)
    from touched d
    cross join lateral unnest(d.event_keys, d.lines) with ordinality as c (event_key, line, place)
    where not exists (
      select from ${gone} g
      where g.customer_no = d.customer_no and g.upload_no = d.upload_no and g.line = c.line)
    group by d.customer_no, d.upload_no, d.claimed_at, d.lines[1]
  )`

const DROP_PROMOTED_DUPLICATES = `
  with ${without(`(select customer_no, upload_no, line from promoted where outcome = 'duplicate')`)}
  select`

// `offset 0`: an array is opened once, not once for each key that is looked for.
const UNPACK = (changed: string) => `
  create temp table unpacked on commit drop as
  with changed as materialized (${changed})
  select c.customer_no, c.event_key, c.upload_no, c.line, c.claimed_at
  from (
    select d.customer_no, d.upload_no, d.claimed_at, u.event_key, u.line
    from duplicate_claims d
    cross join lateral unnest(d.event_keys, d.lines) as u (event_key, line)
    where d.customer_no in (select customer_no from changed)
    offset 0
  ) c
  join changed k on k.customer_no = c.customer_no and k.event_key = c.event_key`

const MOVE_UNPACKED = `
  with ${without('unpacked')}
  insert into event_claims (customer_no, event_key, upload_no, line, claimed_at, outcome)
  select customer_no, event_key, upload_no, line, claimed_at, 'duplicate' from unpacked`

const JUDGE = (changed: string) => `
  with judged as (
    update event_claims c set
      outcome = case when c.outcome = 'duplicate' then 'conflict' else 'duplicate' end,
      ${CONTENT.map((column) => `${column} = case when c.outcome = 'duplicate' then k.old_${column} end`).join(', ')}
    from (${changed}) k
    where c.customer_no = k.customer_no and c.event_key = k.event_key
      and (c.outcome = 'duplicate' or ${sameContent('c', 'k')})
    returning c.upload_no, c.outcome
  )
  update uploads u
    set duplicates = u.duplicates + j.became_duplicates - j.became_conflicts,
        conflicts = u.conflicts + j.became_conflicts - j.became_duplicates
  from (
    select upload_no, count(*) filter (where outcome = 'duplicate') as became_duplicates,
           count(*) filter (where outcome = 'conflict') as became_conflicts
    from judged group by upload_no
  ) j
  where u.upload_no = j.upload_no`

/**
 * After events have got other content: their duplicates now differ from them, and get the old content as their own;
 * conflicts that say what they say now are duplicates. `changed` has the key, the new content and the old as old_….
 */
async function judge(client: PoolClient, changed: string, values: unknown[] = []): Promise<void> {
  const { rowCount: unpacked } = await client.query(UNPACK(changed), values)
  if (unpacked !== 0) {
    await client.query('analyze unpacked')
    await client.query(MOVE_UNPACKED)
  }
  await client.query(JUDGE(changed), values)
}

const COUNT_PROMOTED = `
  update uploads u
    set accepted = u.accepted + p.promoted, duplicates = u.duplicates - p.duplicates,
        conflicts = u.conflicts - p.conflicts
  from (
    select upload_no, count(*) as promoted, count(*) filter (where outcome = 'duplicate') as duplicates,
           count(*) filter (where outcome = 'conflict') as conflicts
    from promoted group by upload_no
  ) p
  where u.upload_no = p.upload_no`

/**
 * Notes in `promoted` who takes over the events of an upload; answers how many are taken over. No plan of it may be
 * a nested loop: how many rows an upload has, and how many claims there are on them, is known too late for a good guess.
 */
async function promoteRivals(client: PoolClient, uploadNo: number): Promise<number> {
  await client.query(WITHDRAWN_CUSTOMERS, [uploadNo])
  await client.query('analyze withdrawn_customers')
  const { rowCount: rivals } = await client.query(RIVALS)
  if (rivals === 0) return 0
  await client.query('analyze rivals')
  await client.query('set local enable_nestloop = off')
  const { rowCount: promoted } = await client.query(PROMOTE, [uploadNo])
  await client.query('set local enable_nestloop = on')
  await client.query('analyze promoted')
  return promoted ?? 0
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
  await client.query('delete from event_claims where upload_no = $1', [uploadNo])
  await client.query('delete from duplicate_claims where upload_no = $1', [uploadNo])
  const promoted = await promoteRivals(client, uploadNo)
  if (promoted > 0) await client.query(LOCK_PROMOTED)
  if (await isUsageCounted(client, uploadNo)) {
    await expectManyRows(client)
    await client.query(LOWER_USAGE, [uploadNo])
    await expectFewRows(client)
  }
  await client.query('delete from events where upload_no = $1', [uploadNo])
  if (promoted > 0) {
    await client.query(STORE_PROMOTED, [organizationId])
    await client.query(DROP_PROMOTED_CLAIMS)
    await client.query(DROP_PROMOTED_DUPLICATES)
    await client.query(COUNT_PROMOTED)
    await judge(client, `select * from promoted where outcome = 'conflict'`)
  }
  await client.query(DROP_EMPTY_USAGE)
}

/** A conflicting row of an upload, whose value may be taken instead of the stored one. */
export interface ConflictClaim {
  readonly customer_no: number
  readonly event_key: string
}

export async function findConflict(
  client: PoolClient,
  uploadNo: number,
  line: number,
): Promise<ConflictClaim | undefined> {
  const { rows } = await client.query<ConflictClaim>(
    `select customer_no, event_key from event_claims
     where upload_no = $1 and line = $2 and outcome = 'conflict'`,
    [uploadNo, line],
  )
  return rows[0]
}

/** Whether this line is the one that counts already: what a repeated call finds. */
export async function isStoredLine(
  client: PoolClient,
  uploadNo: number,
  line: number,
): Promise<boolean> {
  const { rows } = await client.query<{ stored: boolean }>(
    'select exists (select from events where upload_no = $1 and line = $2) as stored',
    [uploadNo, line],
  )
  return rows[0]!.stored
}

const LOWER_ONE = `
  with gone as (
    select customer_no, event_type_no, event_date, quantity, unit_price
    from events where customer_no = $1 and event_key = $2
  ), ${UNCOUNT}
  select count(*) from lowered`

// The two rows change places: the stored one becomes a claim of its upload, the claim is stored. The claim of the one
// that was stored is the first of its key: it counts again if the upload it gave way to is withdrawn.
const SWAP = `
  with taken as (
    delete from event_claims
    where customer_no = $1 and event_key = $2 and upload_no = $3 and line = $4
    returning *
  ), given as (
    insert into event_claims (${EVENT_COPY_COLUMNS}, outcome, claimed_at)
    select ${EVENT_COPY_COLUMNS}, 'conflict', (
      select min(claimed_at) - interval '1 microsecond' from claims where customer_no = $1 and event_key = $2)
    from events where customer_no = $1 and event_key = $2
    returning upload_no
  ), stored as (
    update events e set upload_no = t.upload_no, line = t.line,
      ${CONTENT.map((column) => `${column} = t.${column}`).join(', ')}
    from taken t where e.customer_no = t.customer_no and e.event_key = t.event_key
    returning e.customer_no, e.event_type_no, e.event_date, e.quantity, e.unit_price
  ), ${countUsage}, lost as (
    update uploads set accepted = accepted - 1, conflicts = conflicts + 1
    where upload_no = (select upload_no from given) and upload_no <> $3
  )
  update uploads set accepted = accepted + 1, conflicts = conflicts - 1
  where upload_no = $3 and (select upload_no from given) <> $3`

// `replaced` is the claim that the stored event has just become: the first one.
const SWAPPED = `
  select e.*, ${CONTENT.map((column) => `replaced.${column} as old_${column}`).join(', ')}
  from events e join event_claims replaced
    on replaced.customer_no = e.customer_no and replaced.event_key = e.event_key
  where e.customer_no = $1 and e.event_key = $2 and replaced.outcome = 'conflict'
  order by replaced.claimed_at limit 1`

/**
 * Takes the value of a conflicting row instead of the stored one, which becomes a conflict in its turn. The caller
 * has taken the storing lock and writes the audit row.
 */
export async function swapConflict(
  client: PoolClient,
  conflict: ConflictClaim & { organizationId: string; uploadNo: number; line: number },
): Promise<void> {
  await countPendingUsage(client, conflict.organizationId)
  const key = [conflict.customer_no, conflict.event_key]
  await client.query(LOWER_ONE, key)
  await client.query(SWAP, [...key, conflict.uploadNo, conflict.line])
  await client.query(DROP_EMPTY_USAGE)
  await judge(client, SWAPPED, key)
}
