import {
  type FreshEvent,
  type FreshTools,
  type NewEvent,
  recordFreshEvents,
  type StoredEvent,
  wasHeld,
  zonesOf,
} from '@billtrail/db'
import { periodOf } from '@billtrail/domain'
import { isDatabaseUnavailable, type Pool, type Sql } from '@billtrail/platform'
import type { Recorded } from './group-calls'

export interface FreshOutcome {
  readonly recorded: ReadonlyMap<NewEvent, Recorded>
  /** For the longer way, in the order in which they came. What is neither here nor there goes alone. */
  readonly left: readonly NewEvent[]
}

/** Records those of a group that may take the short way; see `recordFreshEvents`. */
export type RecordFresh = (
  events: readonly NewEvent[],
  onStored: () => void,
) => Promise<FreshOutcome>

const ZONES_MAX = 100_000
/** Groups that go the longer way after some failed on the short one, at most. */
const PAUSE_MAX = 32
const UTC_INSTANT = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z$/

const NONE: ReadonlyMap<NewEvent, Recorded> = new Map()

export function recordingFresh(pool: Pool, sql: Sql): RecordFresh {
  const zones = new Map<number, string>()
  const tools: FreshTools = { pool, sql, typeNames: new Map() }
  let pause = 0
  let paused = 0

  const learnZones = async (events: readonly NewEvent[]): Promise<void> => {
    const unknown = new Set(events.map((event) => event.customerNo).filter((no) => !zones.has(no)))
    if (unknown.size === 0) return
    if (zones.size + unknown.size > ZONES_MAX) zones.clear()
    for (const [customerNo, zone] of await zonesOf(sql, [...unknown])) zones.set(customerNo, zone)
  }
  const freshOf = (event: NewEvent): FreshEvent[] => {
    const zone = zones.get(event.customerNo)
    if (zone === undefined) return []
    return [{ event, zone, period: periodOf(new Date(event.eventDate), zone) }]
  }
  // A repeat among them, or a zone that was changed, fails all of them; groups with repeats often come in a row.
  const failed = (events: readonly NewEvent[]): void => {
    pause = Math.min(2 * pause + 1, PAUSE_MAX)
    paused = pause
    for (const { customerNo } of events) zones.delete(customerNo)
  }

  return async (events, onStored) => {
    if (paused > 0) {
      paused -= 1
      return { recorded: NONE, left: events }
    }
    const fit = fitting(events)
    if (fit.length === 0) return { recorded: NONE, left: events }
    try {
      await learnZones(fit)
      const fresh = fit.flatMap(freshOf)
      const isAll = fresh.length === events.length
      const recorded = await record(tools, fresh, isAll ? onStored : () => undefined)
      pause = 0
      return { recorded, left: events.filter((event) => !recorded.has(event)) }
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error
      if (wasHeld(error))
        return { recorded: NONE, left: events.filter((one) => !fit.includes(one)) }
      failed(fit)
      return { recorded: NONE, left: events }
    }
  }
}

/** Events without a price of their own that have their key to themselves. */
function fitting(events: readonly NewEvent[]): NewEvent[] {
  const keys = events.map(({ customerNo, eventKey }) => `${customerNo} ${eventKey}`)
  const isAlone = (at: number) => keys.indexOf(keys[at]!) === keys.lastIndexOf(keys[at]!)
  return events.filter(
    ({ unitPrice, eventDate }, at) =>
      unitPrice === null && UTC_INSTANT.test(eventDate) && isAlone(at),
  )
}

async function record(
  tools: FreshTools,
  fresh: readonly FreshEvent[],
  onStored: () => void,
): Promise<Map<NewEvent, Recorded>> {
  const outcomes = await recordFreshEvents(tools, fresh, onStored)
  return new Map(
    fresh.map(({ event, period }) => {
      const { eventType, bill } = outcomes.get(event)!
      return [event, { stored: storedOf(event, { eventType, period }), bill }]
    }),
  )
}

/** What the database would show of it. */
function storedOf(
  event: NewEvent,
  { eventType, period }: { eventType: string; period: string },
): StoredEvent {
  const [, seconds, fraction = ''] = UTC_INSTANT.exec(event.eventDate)!
  return {
    event_id: event.eventId ?? event.eventKey,
    event_type: eventType,
    event_date: `${seconds}.${fraction.padEnd(6, '0')}Z`,
    quantity: event.quantity,
    unit_price: null,
    properties: Object.fromEntries(Object.entries(event.properties ?? {}).sort(byLength)),
    period,
  }
}

/** The order in which PostgreSQL keeps the names of an object: short ones first, then by their bytes. */
function byLength([a]: [string, string], [b]: [string, string]): number {
  const [first, second] = [Buffer.from(a), Buffer.from(b)]
  return first.length - second.length || Buffer.compare(first, second)
}
