import {
  compareHstoreNames,
  type FreshCustomer,
  freshCustomersOf,
  type FreshEvent,
  type FreshTools,
  type NewEvent,
  type OpenSegment,
  openSegmentsOf,
  recordFreshEvents,
  type StoredEvent,
  wasHeld,
} from '@billtrail/db'
import { periodEverywhere, periodOf } from '@billtrail/domain'
import { isDatabaseUnavailable, type Next, type Pool, type Sql } from '@billtrail/platform'
import type { Recorded } from './group-calls'

export interface FreshOutcome {
  readonly recorded: ReadonlyMap<NewEvent, Recorded>
  /** For the longer way, in the order in which they came. What is neither here nor there goes alone. */
  readonly left: readonly NewEvent[]
}

/** Records those of a group that may take the short way; see `recordFreshEvents`. */
export type RecordFresh = (events: readonly NewEvent[], next: Next) => Promise<FreshOutcome>

const KNOWN_MAX = 100_000
/** Groups that go the longer way after some failed on the short one, at most. */
const PAUSE_MAX = 32
const UTC_INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z$/
const SECONDS = '2026-03-01T00:00:00.'
const MICROSECONDS = '2026-03-01T00:00:00.000000'

const NONE: ReadonlyMap<NewEvent, Recorded> = new Map()

export function recordingFresh(pool: Pool, sql: Sql): RecordFresh {
  const customers = new Map<number, FreshCustomer>()
  const segments = new Map<string, OpenSegment>()
  const tools: FreshTools = { pool, sql, typeNames: new Map(), plans: new Map() }
  let pause = 0
  let paused = 0

  const learn = async (events: readonly NewEvent[]): Promise<void> => {
    const numbers = events.map((event) => event.customerNo)
    await remember(customers, numbers, (unknown) => freshCustomersOf(sql, unknown))
    const organizations = numbers.flatMap((no) => customers.get(no)?.organizationId ?? [])
    await remember(segments, organizations, (unknown) => openSegmentsOf(sql, unknown))
  }
  const freshOnes = (events: readonly NewEvent[]): FreshEvent[] => {
    const fresh: FreshEvent[] = []
    for (const event of events) {
      const customer = customers.get(event.customerNo)
      if (customer === undefined) continue
      const { organizationId, zone } = customer
      const segment = segments.get(organizationId)
      if (segment === undefined) continue
      const { eventDate } = event
      const period = periodEverywhere(eventDate) ?? periodOf(new Date(eventDate), zone)
      fresh.push({ event, organizationId, segment, period })
    }
    return fresh
  }
  const forget = (events: readonly NewEvent[]): void => {
    for (const { customerNo } of events) {
      segments.delete(customers.get(customerNo)?.organizationId ?? '')
      customers.delete(customerNo)
    }
  }
  // A repeat among them, or what was known and has changed, fails all of them; groups with repeats often come in a row.
  const failed = (events: readonly NewEvent[]): void => {
    pause = Math.min(2 * pause + 1, PAUSE_MAX)
    paused = pause
    forget(events)
  }

  return async (events, next) => {
    if (paused > 0) {
      paused -= 1
      return { recorded: NONE, left: events }
    }
    const fit = fitting(events)
    if (fit.length === 0) return { recorded: NONE, left: events }
    try {
      let fresh = freshOnes(fit)
      if (fresh.length < fit.length) {
        await learn(fit)
        fresh = freshOnes(fit)
      }
      const isAll = fresh.length === events.length
      const recorded = await record(tools, fresh, isAll ? next : undefined)
      pause = 0
      return { recorded, left: isAll ? [] : events.filter((event) => !recorded.has(event)) }
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error
      if (wasHeld(error)) {
        forget(fit)
        return { recorded: NONE, left: events.filter((one) => !fit.includes(one)) }
      }
      failed(fit)
      return { recorded: NONE, left: events }
    }
  }
}

async function remember<Key, Value>(
  known: Map<Key, Value>,
  keys: readonly Key[],
  ask: (unknown: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>,
): Promise<void> {
  const unknown = new Set(keys.filter((key) => !known.has(key)))
  if (unknown.size === 0) return
  const met = await ask([...unknown])
  if (known.size + met.size > KNOWN_MAX) known.clear()
  for (const [key, value] of met) known.set(key, value)
}

/** Events without a price of their own that have their key to themselves. */
function fitting(events: readonly NewEvent[]): readonly NewEvent[] {
  const plain = events.filter(
    (event) => event.unitPrice === null && UTC_INSTANT.test(event.eventDate),
  )
  if (new Set(events.map((event) => event.eventKey)).size === events.length) return plain
  const keyOf = ({ customerNo, eventKey }: NewEvent) => `${customerNo} ${eventKey}`
  const counts = new Map<string, number>()
  for (const event of events) counts.set(keyOf(event), (counts.get(keyOf(event)) ?? 0) + 1)
  return plain.filter((event) => counts.get(keyOf(event)) === 1)
}

async function record(
  tools: FreshTools,
  fresh: readonly FreshEvent[],
  next: Next | undefined,
): Promise<Map<NewEvent, Recorded>> {
  const outcomes = await recordFreshEvents(tools, fresh, next)
  const recorded = new Map<NewEvent, Recorded>()
  for (let at = 0; at < fresh.length; at++) {
    const { event, period } = fresh[at]!
    const { eventType, bill } = outcomes[at]!
    recorded.set(event, { stored: storedOf(event, { eventType, period }), bill })
  }
  return recorded
}

/** What the database would show of it. */
function storedOf(
  event: NewEvent,
  { eventType, period }: { eventType: string; period: string },
): StoredEvent {
  const date = event.eventDate.slice(0, -1)
  return {
    event_id: event.eventId ?? event.eventKey,
    event_type: eventType,
    event_date: `${date.padEnd(SECONDS.length, '.').padEnd(MICROSECONDS.length, '0')}Z`,
    quantity: event.quantity,
    unit_price: null,
    properties: event.properties === null ? {} : inStoredOrder(event.properties),
    period,
  }
}

const inStoredOrder = (properties: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(properties).sort(([a], [b]) =>
      compareHstoreNames(Buffer.from(a), Buffer.from(b)),
    ),
  )
