import {
  addToUsage,
  addUsage,
  countUsage,
  holdOffWithdrawals,
  holdSegments,
  isUnsealed,
  NO_UPLOAD,
  ownContent,
  sameContent,
  wasHeld,
  withPatience,
} from '@billtrail/db'
import {
  arrayText,
  inTransaction,
  runTogether,
  sqlState,
  type Statement,
} from '@billtrail/platform'
import type { Pool, PoolClient } from 'pg'
import type { KnownSegment, Segments } from '../segments/create-segments'
import { encodeArrays, type RowsToEncode } from '../reading/encode-arrays'
import { type CopyOptions, encodeCopy, type EventBatch, isPlain, sortBatch } from '../reading'
import { type BufferPool, createBufferPool } from '../reading/buffer-pool'
import { encodeMonths, encodeSums, sumUsage } from '../reading/sum-usage'
import {
  copyChunks,
  copyText,
  EVENT_COPY_COLUMNS,
  eventsInto,
  UNIQUE_VIOLATION,
} from './store.repo'

export type SentOutcome = 'duplicate' | 'conflict'

/** What became of events that were there already, by their line; those that are not in it were stored. */
export type SentOutcomes = ReadonlyMap<number, SentOutcome>

/** The events of one request that kept the rules. */
export interface SentRows {
  readonly organizationId: string
  readonly batch: EventBatch
  readonly customerNumbers: Int32Array
  readonly eventTypeNumbers: Int32Array
}

// Each row has a line of its own within its request only; the requests of a group are numbered as they came.
const SENT = `
  select request, line, customer_no, event_key, event_date, event_type_no, ${NO_UPLOAD} as upload_no,
         coalesce(quantity, 1) as quantity, unit_price, event_id, properties
  from unnest($1::int[], $2::int[], $3::int[], $4::uuid[], $5::timestamptz[], $6::int[],
              $7::numeric[], $8::numeric[], $9::text[], $10::hstore[])
    as sent (request, line, customer_no, event_key, event_date, event_type_no,
             quantity, unit_price, event_id, properties)`

const ADD_SUMS = `
  with sent as (
    select s.*, date_trunc('month', s.event_date at time zone coalesce(c.timezone, o.timezone)) as month
    from unnest($1::int[], $2::int[], $3::bool[], $4::numeric[], $5::numeric[], $6::int[], $7::timestamptz[])
      as s (customer_no, event_type_no, own_price, quantity, amount, events, event_date)
    join customers c on c.customer_no = s.customer_no
    join organizations o on o.id = c.organization_id
  ), ${addUsage(`
    select customer_no, month, event_type_no, own_price, trim_scale(sum(quantity)) as quantity,
           trim_scale(sum(amount)) as amount, sum(events) as events
    from sent group by 1, 2, 3, 4`)}
  select`

// The same for sums of months that are known: no look at customers, nothing to group. They come in the order of the key.
const ADD_MONTHS = `
  with changed as (
    insert into usage_changes (customer_no, period) select * from unnest($8::int[], $9::text[])
  )
  insert into counted_usage as usage
    (customer_no, period, event_type_no, own_price, quantity, amount, events, last_received_at)
  select customer_no, period, event_type_no, own_price, trim_scale(quantity), trim_scale(amount), events, now()
  from unnest($1::int[], $2::text[], $3::int[], $4::bool[], $5::numeric[], $6::numeric[], $7::int[])
    as summed (customer_no, period, event_type_no, own_price, quantity, amount, events)
  ${addToUsage}`

// Each with the segment that it is taken to store in.
const HOLD = `
  select hold_segment(organization, segment_no)
  from unnest($1::uuid[], $2::int[]) as held (organization, segment_no)`

const STORE = `
  with sent as (${SENT}), ${holdSegments}, picked as (
    select distinct on (sent.customer_no, event_key) sent.*, held.segment_no
    from sent
    join customers c on c.customer_no = sent.customer_no
    join held on held.organization_id = c.organization_id
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
export function sentEventStore(pool: Pool, segments: Segments): SentEventStore {
  const buffers = createBufferPool()
  let expectsNew = true

  async function storeTogether(requests: readonly SentRows[]): Promise<SentOutcomes[]> {
    const rows = requests.map(sorted)
    const hasRepeats = rows.some(({ repeats }) => repeats > 0)
    if (expectsNew && !hasRepeats && (await storeNew(pool, { buffers, segments }, rows))) {
      return requests.map(() => new Map())
    }
    const count = rows.reduce((sum, { order }) => sum + order.length, 0)
    const outcomes = await inTransaction(pool, (client) => merge(client, encodeArrays(rows), count))
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

interface SortedRows extends RowsToEncode {
  readonly organizationId: string
  readonly repeats: number
}

/** The rows of a request, those of keys that come again in it behind the others. */
function sorted({
  organizationId,
  batch,
  customerNumbers,
  eventTypeNumbers,
}: SentRows): SortedRows {
  const { order, again } = sortBatch(batch, customerNumbers)
  const all = again.length === 0 ? order : Uint32Array.from([...order, ...again])
  return { organizationId, batch, order: all, eventTypeNumbers, repeats: again.length }
}

const COPY_BUFFER_BYTES = 128 * 1024

/** Prepared once on each connection: planning these costs as much as storing a hundred rows. */
const statement = <Values>(name: string, text: string, values: Values) => ({
  name: `sent_events_${name}`,
  text,
  values,
})

/**
 * False, with nothing stored, when one of the keys is there already. Rejects with 55P03 also where an organization has gone on to
 * another segment: the next attempt knows.
 */
async function storeNew(
  pool: Pool,
  { buffers, segments }: { buffers: BufferPool; segments: Segments },
  rows: readonly SortedRows[],
): Promise<boolean> {
  const open = await openSegments(segments, rows)
  if (!open) return false
  const plain = rows.every(({ batch }) => isPlain(batch))
  const taken: Buffer[] = []
  const takeBuffer = () => {
    const buffer = buffers.take(COPY_BUFFER_BYTES)
    taken.push(buffer)
    return buffer
  }
  try {
    await runTogether(pool, [
      statement('hold', HOLD, [
        arrayText([...open.keys()]),
        arrayText([...open.values()].map(({ segmentNo }) => segmentNo)),
      ]),
      ...byTable(open, rows).map(([table, those]) => ({
        copy: copyText(eventsInto(table, plain)),
        chunks: copyChunks(encodeAll(those, { plain, takeBuffer })),
      })),
      addSums(rows),
    ])
    // Only now are they known to have been sent.
    taken.forEach(buffers.putBack)
    return true
  } catch (error) {
    if (wasHeld(error)) segments.forget([...open.keys()])
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    return false
  }
}

function addSums(rows: readonly SortedRows[]): Statement {
  const sums = sumUsage(rows)
  const months = encodeMonths(sums)
  if (months) return statement('add_months', ADD_MONTHS, months)
  return statement('add_sums', ADD_SUMS, encodeSums(sums))
}

/** The segments that organizations store in, as far as is known; undefined when a sealed one holds one of the keys. */
async function openSegments(
  segments: Segments,
  rows: readonly SortedRows[],
): Promise<Map<string, KnownSegment> | undefined> {
  const open = new Map<string, KnownSegment>()
  for (const { organizationId, batch, order } of rows) {
    const segment = open.get(organizationId) ?? (await segments.known(organizationId))
    open.set(organizationId, segment)
    const { known } = await segment.divide(batch, order)
    if (known.length > 0) return undefined
  }
  return open
}

function byTable(
  open: ReadonlyMap<string, KnownSegment>,
  rows: readonly SortedRows[],
): [table: string, rows: readonly SortedRows[]][] {
  const tableOf = ({ organizationId }: SortedRows) => open.get(organizationId)!.table
  const tables = [...new Set(rows.map(tableOf))]
  return tables.map((table) => [table, rows.filter((one) => tableOf(one) === table)])
}

function* encodeAll(
  rows: readonly RowsToEncode[],
  options: Pick<CopyOptions, 'plain' | 'takeBuffer'>,
): Generator<Buffer> {
  for (const { batch, order, eventTypeNumbers } of rows) {
    yield* encodeCopy(batch, order, { eventTypeNumbers, uploadNo: NO_UPLOAD, ...options })
  }
}

async function merge(
  client: PoolClient,
  arrays: Buffer[],
  count: number,
): Promise<(Place & { readonly outcome: SentOutcome })[]> {
  await holdOffWithdrawals(client)
  const { rows: stored } = await client.query<Place>(statement('store', STORE, arrays))
  if (stored.length === count) return []
  await client.query(NOTE_ALONE)
  const { rows: met } = await client.query<Place & { outcome: SentOutcome }>(
    statement('compare', COMPARE, [
      ...arrays,
      stored.map((row) => row.request),
      stored.map((row) => row.line),
    ]),
  )
  if (stored.length + met.length !== count) throw new Error('A sent event is not accounted for.')
  return met
}
