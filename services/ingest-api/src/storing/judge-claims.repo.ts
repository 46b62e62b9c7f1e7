import { sameContent } from '@billtrail/db'
import type { PoolClient } from 'pg'

/** What an event says, beside its key. */
export const CONTENT = [
  'event_type_no',
  'event_date',
  'quantity',
  'unit_price',
  'event_id',
  'properties',
]

/**
 * What is packed in `duplicate_claims`, claim by claim. `pack` is where the row is that a claim is in: nobody else moves it
 * before the transaction ends.
 */
export const PACKED_CLAIMS = `
  select d.customer_no, c.event_key, d.upload_no, c.line, d.claimed_at, d.ctid as pack
  from duplicate_claims d
  cross join lateral unnest(d.event_keys, d.lines) as c (event_key, line)`

/** Takes the claims `gone` (pack, line) out of their packs; of most packs all are gone. */
const without = (gone: string) => `
  gone as (${gone}),
  spent as (select pack, count(*) as claims from gone group by pack),
  touched as (
    delete from duplicate_claims d using spent s
    where d.ctid = s.pack
    returning d.*, s.pack, s.claims
  ), kept as (
    insert into duplicate_claims (customer_no, upload_no, claimed_at, event_keys, lines)
    select d.customer_no, d.upload_no, d.claimed_at,
           array_agg(c.event_key order by c.place), array_agg(c.line order by c.place)
    from touched d
    cross join lateral unnest(d.event_keys, d.lines) with ordinality as c (event_key, line, place)
    where d.claims < cardinality(d.lines)
      and not exists (select from gone g where g.pack = d.pack and g.line = c.line)
    group by d.customer_no, d.upload_no, d.claimed_at, d.pack
  )`

/** Drops packed claims; `gone` selects their pack and line. */
export async function dropPacked(client: PoolClient, gone: string): Promise<void> {
  await client.query(`with ${without(gone)} select`)
}

// `offset 0`: an array is opened once, not once for each key that is looked for.
const UNPACK = (changed: string) => `
  create temp table unpacked on commit drop as
  with changed as materialized (${changed})
  select c.*
  from (${PACKED_CLAIMS} where d.customer_no in (select customer_no from changed) offset 0) c
  join changed k on k.customer_no = c.customer_no and k.event_key = c.event_key`

const MOVE_UNPACKED = `
  with ${without('select pack, line from unpacked')}
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
export async function judge(
  client: PoolClient,
  changed: string,
  values: unknown[] = [],
): Promise<void> {
  const { rowCount: unpacked } = await client.query(UNPACK(changed), values)
  if (unpacked !== 0) {
    await client.query('analyze unpacked')
    await client.query(MOVE_UNPACKED)
  }
  await client.query(JUDGE(changed), values)
}
