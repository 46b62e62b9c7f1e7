import {
  countUsage,
  holdOffWithdrawals,
  holdSegments,
  isUnsealed,
  NO_UPLOAD,
  ownContent,
  sameContent,
  withPatience,
} from '@billtrail/db'
import { inTransaction, sqlState } from '@billtrail/platform'
import type { Pool, PoolClient } from 'pg'
import { encodeArrays } from '../reading/encode-arrays'
import { COPY_COLUMNS, type EventBatch, sortBatch } from '../reading'
import { EVENT_COPY_COLUMNS } from './store.repo'

export type SentOutcome = 'duplicate' | 'conflict'

/** What became of events that were there already, by their line; those that are not in it were stored. */
export type SentOutcomes = ReadonlyMap<number, SentOutcome>

/** The events of one request that kept the rules. */
export interface SentRows {
  readonly batch: EventBatch
  readonly customerNumbers: Int32Array
  readonly eventTypeNumbers: Int32Array
}

const UNIQUE_VIOLATION = '23505'

// Each row has a line of its own within its request only; the requests of a group are numbered as they came.
const SENT = `
  select request, line, customer_no, event_key, event_date, event_type_no, ${NO_UPLOAD} as upload_no,
         coalesce(quantity, 1) as quantity, unit_price, event_id, properties
  from unnest($1::int[], $2::int[], $3::int[], $4::uuid[], $5::timestamptz[], $6::int[],
              $7::numeric[], $8::numeric[], $9::text[], $10::jsonb[])
    as sent (request, line, customer_no, event_key, event_date, event_type_no,
             quantity, unit_price, event_id, properties)`

const COLUMNS_SENT = COPY_COLUMNS.map((column) => `sent.${column}`).join(', ')

// Without `on conflict` a row costs a fifth less.
const STORE_NEW = `
  with sent as (${SENT}), ${holdSegments}, stored as (
    insert into events (${EVENT_COPY_COLUMNS}, segment_no)
    select ${COLUMNS_SENT}, held.segment_no
    from sent join customers c on c.customer_no = sent.customer_no join held on held.organization_id = c.organization_id
    where ${isUnsealed('sent', 'held.organization_id')}
    returning customer_no, event_type_no, event_date, quantity, unit_price
  ), ${countUsage}
  select (select count(*) from stored) = (select count(*) from sent) and (select count(*) from counted) > 0 as all_new`

const STORE = `
  with sent as (${SENT}), ${holdSegments}, picked as (
    select distinct on (sent.customer_no, event_key) sent.*, held.segment_no
    from sent join customers c on c.customer_no = sent.customer_no join held on held.organization_id = c.organization_id
    where ${isUnsealed('sent', 'held.organization_id')}
    order by sent.customer_no, event_key, request, line
  ), stored as (
    insert into events (${EVENT_COPY_COLUMNS}, segment_no)
    select ${EVENT_COPY_COLUMNS}, segment_no from picked order by customer_no, event_key
    on conflict do nothing
    returning customer_no, event_key, event_type_no, event_date, quantity, unit_price
  ), ${countUsage}
  select request, line from stored join picked using (customer_no, event_key)`

const CONTENT = `
  customer_no, event_key, outcome, event_type_no, event_date, quantity, unit_price, event_id, properties`

// What a file brought may be withdrawn with the file; what was also sent over the API then stays, so it is
// noted as a claim: once for each content, however often it is sent. Claims of one moment are in the order of their
// requests.
const COMPARE = `
  with met as (
    select sent.*, e.upload_no as owner,
           case when ${sameContent('sent', 'e')} then 'duplicate' else 'conflict' end as outcome
    from (${SENT}) sent join events e on e.customer_no = sent.customer_no and e.event_key = sent.event_key
    where (sent.request, sent.line) not in (select * from unnest($11::int[], $12::int[]))
  ), claimed as (
    insert into event_claims (${EVENT_COPY_COLUMNS}, outcome, claimed_at)
    select customer_no, event_key, ${ownContent('event_date')}, ${ownContent('event_type_no')},
           upload_no, line, ${ownContent('quantity')}, ${ownContent('unit_price')},
           ${ownContent('event_id')}, ${ownContent('properties')}, outcome,
           now() + request * interval '1 microsecond'
    from (
      select distinct on (${CONTENT}) * from met
      where owner <> ${NO_UPLOAD} or outcome = 'conflict'
      order by ${CONTENT}, request, line
    ) wanted
    where not exists (
      select from event_claims c
      where c.customer_no = wanted.customer_no and c.event_key = wanted.event_key
        and c.upload_no = ${NO_UPLOAD} and c.outcome = wanted.outcome
        and (wanted.outcome = 'duplicate' or ${sameContent('c', 'wanted')}))
  )
  select request, line, outcome from met`

// Two that compare the same event at the same moment would both note its claim.
const NOTE_ALONE = 'select pg_advisory_xact_lock(84204)'

interface Place {
  readonly request: number
  readonly line: number
}

/** Stores the events of requests as they come; see `storeTogether` and `storeAlone`. */
export interface SentEventStore {
  /**
   * Stores the events of several requests with their usage, as if the requests had come one after the other, and
   * answers for each of them. All or nothing. Rejects with 55P03 where an upload holds one of the keys.
   */
  storeTogether(requests: readonly SentRows[]): Promise<SentOutcomes[]>
  /** The same for one request. Gives way to an upload that holds its keys; refuses with `held_by_upload` after 20 s. */
  storeAlone(request: SentRows): Promise<SentOutcomes>
}

/** A store that takes events to be new, as nearly all are, until it meets some that are not. */
export function sentEventStore(pool: Pool): SentEventStore {
  let expectsNew = true

  async function storeTogether(requests: readonly SentRows[]): Promise<SentOutcomes[]> {
    const { arrays, count, hasRepeats } = encode(requests)
    if (expectsNew && !hasRepeats && (await storeNew(pool, arrays))) {
      return requests.map(() => new Map())
    }
    const outcomes = await inTransaction(pool, (client) => merge(client, arrays, count))
    expectsNew = outcomes.length === 0
    const byRequest = requests.map(() => new Map<number, SentOutcome>())
    for (const { request, line, outcome } of outcomes) byRequest[request]!.set(line, outcome)
    return byRequest
  }
  return {
    storeTogether,
    storeAlone: async (request) => (await withPatience(() => storeTogether([request])))[0]!,
  }
}

function encode(requests: readonly SentRows[]): {
  arrays: Buffer[]
  count: number
  hasRepeats: boolean
} {
  const sorted = requests.map(({ batch, customerNumbers, eventTypeNumbers }) => {
    const { order, again } = sortBatch(batch, customerNumbers)
    const all = again.length === 0 ? order : Uint32Array.from([...order, ...again])
    return { batch, order: all, eventTypeNumbers, repeats: again.length }
  })
  return {
    arrays: encodeArrays(sorted),
    count: sorted.reduce((sum, { order }) => sum + order.length, 0),
    hasRepeats: sorted.some(({ repeats }) => repeats > 0),
  }
}

/** Prepared once on each connection: planning these costs as much as storing a hundred rows. */
const prepared = (name: string, text: string, values: unknown[]) => ({
  name: `sent_events_${name}`,
  text,
  values,
})

/** False, with nothing stored, when one of the keys is there already. */
async function storeNew(pool: Pool, arrays: Buffer[]): Promise<boolean> {
  try {
    return await inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ all_new: boolean }>(
        prepared('store_new', STORE_NEW, arrays),
      )
      if (!rows[0]!.all_new) throw Object.assign(new Error('known'), { code: UNIQUE_VIOLATION })
      return true
    })
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    return false
  }
}

async function merge(
  client: PoolClient,
  arrays: Buffer[],
  count: number,
): Promise<(Place & { readonly outcome: SentOutcome })[]> {
  await holdOffWithdrawals(client)
  const { rows: stored } = await client.query<Place>(prepared('store', STORE, arrays))
  if (stored.length === count) return []
  await client.query(NOTE_ALONE)
  const { rows: met } = await client.query<Place & { outcome: SentOutcome }>(
    prepared('compare', COMPARE, [
      ...arrays,
      stored.map((row) => row.request),
      stored.map((row) => row.line),
    ]),
  )
  if (stored.length + met.length !== count) throw new Error('A sent event is not accounted for.')
  return met
}
