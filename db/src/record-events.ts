import { setTimeout as delay } from 'node:timers/promises'
import { DomainError } from '@billtrail/domain'
import { inTransaction, sqlState, type Sql } from '@billtrail/platform'
import type { Pool } from 'pg'
import { hstoreText } from './hstore-text'

/** An event that has passed every field rule, ready to be stored. */
export interface NewEvent {
  readonly customerNo: number
  readonly eventTypeNo: number
  /** UUID text; see `eventKey` in the domain. */
  readonly eventKey: string
  /** The id as sent; null when the key is the id itself. */
  readonly eventId: string | null
  /** RFC 3339, UTC, to the microsecond. */
  readonly eventDate: string
  readonly quantity: string
  readonly unitPrice: string | null
  readonly properties: Readonly<Record<string, string>> | null
}

export type Outcome = 'accepted' | 'duplicate' | 'conflict'

/** Events of an API call belong to no upload. */
export const NO_UPLOAD = 0

const LOCK_PATIENCE_MS = 20_000
const LOCK_WAIT_MS = 50
const LOCK_NOT_AVAILABLE = '55P03'
const DEADLOCK = '40P01'
const CHECK_VIOLATION = '23514'

/** Planned in the moment before the segment was made that it found to be the open one: no partition for its rows. */
const hadNoSegment = (error: unknown): boolean =>
  sqlState(error) === CHECK_VIOLATION && (error as { table?: unknown }).table === 'events'

/** Whether a statement gave up as somebody else held what it wanted, or was just making it. */
export const wasHeld = (error: unknown): boolean =>
  [LOCK_NOT_AVAILABLE, DEADLOCK].includes(sqlState(error)) || hadNoSegment(error)

const SENT = `
  select * from unnest($1::int[], $2::int[], $3::timestamptz[], $4::uuid[], $5::int[],
                       $6::numeric[], $7::numeric[], $8::text[], $9::hstore[])
    with ordinality as sent (customer_no, event_type_no, event_date, event_key, line,
                             quantity, unit_price, event_id, properties, place)`

/** Rows of events summed by customer, local month (its first day), event type, and whether they have their own price. */
export function sumByMonth(events: string): string {
  return `
    select s.customer_no, date_trunc('month', s.event_date at time zone coalesce(c.timezone, o.timezone)) as month,
           s.event_type_no, s.unit_price is not null as own_price, sum(s.quantity) as quantity,
           coalesce(sum(s.quantity * s.unit_price), 0) as amount, count(*) as events
    from ${events} s
    join customers c on c.customer_no = s.customer_no
    join organizations o on o.id = c.organization_id
    group by 1, 2, 3, 4`
}

/** What follows `insert into counted_usage as usage … select …`: rows that are there already are added to. */
export const addToUsage = `
    on conflict (customer_no, period, event_type_no, own_price) do update
      set quantity = usage.quantity + excluded.quantity,
          amount = usage.amount + excluded.amount,
          events = usage.events + excluded.events,
          last_received_at = excluded.last_received_at`

/**
 * Adds sums (rows as those of `sumByMonth`) to the usage of each customer, month and event type, and queues those months for
 * billing.
 */
export const addUsage = (summed: string): string => `
  counted as (
    insert into counted_usage as usage
      (customer_no, period, event_type_no, own_price, quantity, amount, events, last_received_at)
    select customer_no, to_char(month, 'YYYY-MM'), event_type_no, own_price, quantity, amount, events, now()
    from (${summed}) summed
    order by 1, 2, 3, 4
    ${addToUsage}
    returning customer_no, period
  ), changed as (
    insert into usage_changes (customer_no, period)
    select distinct customer_no, period from counted
  )`

/**
 * Adds what `stored` (rows of events) holds to the usage of each customer, month and event type, and
 * queues those months for billing. The month is that of the customer's own time zone.
 */
export const countUsage = addUsage(sumByMonth('stored'))

/** A stored event as the caller sees it; numbers without trailing zeros, the date in UTC to the microsecond. */
export interface StoredEvent {
  readonly event_id: string
  readonly event_type: string
  readonly event_date: string
  readonly quantity: string
  readonly unit_price: string | null
  readonly properties: Readonly<Record<string, string>>
  /** The month it counts in, in the customer's zone. */
  readonly period: string
}

/** Reads rows of events, called `e`, as `StoredEvent`s; `columns` of them come before. */
export const shownEvents = (events: string, columns = ''): string => `
  select ${columns} coalesce(e.event_id, e.event_key::text) as event_id, t.name as event_type,
         to_char(e.event_date at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as event_date,
         trim_scale(e.quantity)::text as quantity, trim_scale(e.unit_price)::text as unit_price,
         coalesce(hstore_to_json(e.properties), '{}') as properties,
         to_char(e.event_date at time zone coalesce(c.timezone, o.timezone), 'YYYY-MM') as period
  from ${events} e
  join event_types t on t.event_type_no = e.event_type_no
  join customers c on c.customer_no = e.customer_no
  join organizations o on o.id = c.organization_id`

/**
 * The open segments of the organizations whose customers are in `sent`, held until the transaction ends: `organization_id`,
 * `segment_no`. The statement fails with 55P03 when one of them has gone on to another segment since it began.
 */
export const holdSegments = `
  held as materialized (
    select s.organization_id, hold_segment(s.organization_id, s.segment_no) as segment_no
    from event_segments s
    where s.is_open and s.organization_id in (
      select c.organization_id from customers c where c.customer_no in (select customer_no from sent))
  )`

/** Whether no sealed segment of the organization holds the key of `sent`; looked up key by key, as `offset 0` says. */
export const isUnsealed = (sent: string, organizationId: string): string => `
  not exists (
    select from event_segments s
    join events e on e.segment_no = s.segment_no and e.customer_no = ${sent}.customer_no and e.event_key = ${sent}.event_key
    where s.organization_id = ${organizationId} and not s.is_open offset 0)`

/** For whoever must not detain others with a lock that it waits for: for a moment only, whatever its connection says. */
export const waitForLocksBriefly = `set_config('lock_timeout', '${LOCK_WAIT_MS}ms', true)`

/**
 * Holds an organization to its open segment until the transaction ends: the lock of `hold_segment` without its look. Which
 * segment that is a later statement has to see.
 */
export const holdOpenSegment = (organizationId: string): string =>
  `pg_advisory_xact_lock_shared(84205, hashtext(${organizationId}::text))`

// Everybody stores in the order of the key.
const STORE = `
  with sent as (
    select sent.* from (select ${waitForLocksBriefly}) patience, (${SENT}) sent
  ), ${holdSegments}, stored as (
    insert into events (customer_no, event_type_no, event_date, event_key, upload_no, line,
                        quantity, unit_price, event_id, properties, segment_no)
    select customer_no, event_type_no, event_date, event_key, ${NO_UPLOAD}, line,
           quantity, unit_price, event_id, properties,
           (select segment_no from held where held.organization_id = o.organization_id)
    from sent
    cross join lateral (
      select c.organization_id from customers c where c.customer_no = sent.customer_no offset 0) o
    where ${isUnsealed('sent', 'o.organization_id')}
    order by customer_no, event_key, place
    on conflict do nothing
    returning *
  ), ${countUsage}
  ${shownEvents('stored', 'e.customer_no, e.event_key,')}`

/** Same content means equal values, however spelled: `1` and `1.0`, `Z` and `+00:00`. */
export const sameContent = (a: string, b: string): string =>
  `(${a}.event_type_no = ${b}.event_type_no and ${a}.event_date = ${b}.event_date
    and ${a}.quantity = ${b}.quantity and ${a}.unit_price is not distinct from ${b}.unit_price
    and ${a}.properties is not distinct from ${b}.properties
    and ${a}.event_id is not distinct from ${b}.event_id)`

/** A duplicate's claim keeps no content: it says what the stored event says. */
export const ownContent = (column: string): string =>
  `case when outcome = 'conflict' then ${column} end`

// What a file brought may be withdrawn with the file; what was also sent over the API then stays, so it is
// noted as a claim: once, however often it is sent.
const COMPARE = `
  with sent as (${SENT}), met as (
    select sent.*, e.upload_no as owner,
           case when ${sameContent('sent', 'e')} then 'duplicate' else 'conflict' end as outcome
    from sent join events e on e.customer_no = sent.customer_no and e.event_key = sent.event_key
  ), claimed as (
    insert into event_claims (customer_no, event_type_no, event_date, event_key, upload_no, line,
                              quantity, unit_price, event_id, properties, outcome)
    select customer_no, ${ownContent('event_type_no')}, ${ownContent('event_date')}, event_key,
           ${NO_UPLOAD}, line, ${ownContent('quantity')}, ${ownContent('unit_price')},
           ${ownContent('event_id')}, ${ownContent('properties')}, outcome
    from met
    where (owner <> ${NO_UPLOAD} or outcome = 'conflict') and not exists (
      select from event_claims c
      where c.customer_no = met.customer_no and c.event_key = met.event_key
        and c.upload_no = ${NO_UPLOAD} and c.outcome = met.outcome
        and (met.outcome = 'duplicate' or ${sameContent('c', 'met')}))
  )
  select line, outcome from met`

const columnsOf = (events: readonly NewEvent[], lines: readonly number[]): unknown[] => [
  events.map((event) => event.customerNo),
  events.map((event) => event.eventTypeNo),
  events.map((event) => event.eventDate),
  events.map((event) => event.eventKey),
  lines,
  events.map((event) => event.quantity),
  events.map((event) => event.unitPrice),
  events.map((event) => event.eventId),
  events.map((event) => (event.properties === null ? null : hstoreText(event.properties))),
]

/**
 * Stores events sent over the API, counts their usage in the same statement, and says of each, in the order
 * given, what became of it. Sending again changes nothing.
 *
 * Needs connections with a lock_timeout shorter than the server's deadlock_timeout: an upload that is storing
 * the same key holds it until it ends, and this side must give way first (docs/decisions/0005). It waits up
 * to 20 s in all, then refuses with `busy`.
 */
export async function recordEvents(pool: Pool, events: readonly NewEvent[]): Promise<Outcome[]> {
  const outcomes: (Outcome | undefined)[] = events.map(() => undefined)
  let open = events.map((_event, index) => index)
  // More than one round only when an event that was met is withdrawn before it can be compared.
  while (open.length > 0) {
    const pick = (indexes: readonly number[]) => indexes.map((index) => events[index]!)
    const lines = open.map((index) => index + 1)
    const stored = await withPatience(() => storeNewEvents(pool, pick(open), lines))
    for (const [at, index] of open.entries()) if (stored[at]) outcomes[index] = 'accepted'
    open = open.filter((index) => outcomes[index] === undefined)
    if (open.length === 0) break

    const met = await compareEvents(
      pool,
      pick(open),
      open.map((index) => index + 1),
    )
    for (const [line, outcome] of met) outcomes[line - 1] = outcome
    open = open.filter((index) => outcomes[index] === undefined)
  }
  return outcomes.map((outcome) => outcome!)
}

/** One text for one key. */
const keyText = (customerNo: number, key: string): string => `${customerNo} ${key}`

/**
 * The first half of `recordEvents`: stores the events whose keys are new and returns them, in the order given; undefined
 * for the others. Of several events with one key the first is stored. `lines` are their positions in their requests, from 1.
 * Throws 55P03 where a key is held for longer than 50 ms: nothing was stored then.
 */
export async function storeNewEvents(
  sql: Sql,
  events: readonly NewEvent[],
  lines: readonly number[],
): Promise<(StoredEvent | undefined)[]> {
  const { rows } = await sql.query<StoredRow & Record<string, unknown>>(
    STORE,
    columnsOf(events, lines),
  )
  const stored = new Map<string, StoredEvent>()
  for (const { customer_no, event_key, ...event } of rows) {
    stored.set(keyText(customer_no, event_key), event)
  }
  return events.map(({ customerNo, eventKey }) => {
    const text = keyText(customerNo, eventKey)
    const event = stored.get(text)
    stored.delete(text)
    return event
  })
}

interface StoredRow extends StoredEvent {
  readonly customer_no: number
  readonly event_key: string
}

/**
 * The second half: how events compare with those stored under their keys, by line. A key that is not (or no
 * longer) stored is left out.
 */
export async function compareEvents(
  pool: Pool,
  events: readonly NewEvent[],
  lines: readonly number[],
): Promise<Map<number, Exclude<Outcome, 'accepted'>>> {
  const { rows } = await withPatience(() =>
    inTransaction(pool, async (client) => {
      await holdOffWithdrawals(client)
      return client.query<{ line: number; outcome: Exclude<Outcome, 'accepted'> }>(
        COMPARE,
        columnsOf(events, lines),
      )
    }),
  )
  return new Map(rows.map((row) => [row.line, row.outcome]))
}

const WITHDRAWAL_LOCK = 84_203

/**
 * A claim on a stored event must not be made while that event is being withdrawn: it would be lost. Those who
 * claim hold off withdrawals until their transaction ends; a withdrawal waits for them and then has them wait.
 */
export async function holdOffWithdrawals(sql: Sql): Promise<void> {
  await sql.query('select pg_advisory_xact_lock_shared($1)', [WITHDRAWAL_LOCK])
}

/** The other side: from here to the end of the transaction nobody claims over the API. */
export async function holdOffClaims(sql: Sql): Promise<void> {
  await sql.query('select pg_advisory_xact_lock($1)', [WITHDRAWAL_LOCK])
}

/** Tries again while an upload holds what is wanted; refuses with `held_by_upload` after 20 s. */
export async function withPatience<T>(attempt: () => Promise<T>): Promise<T> {
  const giveUpAt = Date.now() + LOCK_PATIENCE_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!wasHeld(error)) throw error
      if (Date.now() > giveUpAt) throw heldByUpload()
      await delay(20 + Math.random() * 80)
    }
  }
}

const heldByUpload = (): DomainError =>
  new DomainError(
    'busy',
    'held_by_upload',
    'An upload that holds the same events is being stored. Nothing of this request was; send it again.',
    [],
    5,
  )
