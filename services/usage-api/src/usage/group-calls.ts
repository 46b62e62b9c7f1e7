import {
  type Month,
  type MonthBill,
  type NewEvent,
  rateMonths,
  type RatedMonth,
  type StoredEvent,
  storeNewEvents,
  withPatience,
} from '@billtrail/db'
import { createGrouping, isDatabaseUnavailable, type Pool, type Sql } from '@billtrail/platform'
import { limitAtOnce } from './limit-at-once'
import { preparedSql } from './prepared-sql'
import { type RecordFresh, recordingFresh } from './record-fresh'

const GROUP_MAX = 256
/** One event of one request: it stands on the first line. */
const LINE = 1
/** Of the connections that groups and months share. */
const ALONE_AT_ONCE_MAX = 4

/** What became of an event that was sent. */
export interface Recorded {
  /** As it is now stored and counted; undefined when its key was known. */
  readonly stored: StoredEvent | undefined
  /** What its month comes to, where that was to be had with it; else it has to be rated. */
  readonly bill?: MonthBill | undefined
}

/** What calls that arrive together do in one statement (docs/decisions/0012). */
export interface GroupedCalls {
  /** Stores and counts an event and, if it can be done at once, rates its month. Throws `held_by_upload`. */
  readonly record: (event: NewEvent) => Promise<Recorded>
  /** Rates a month as its usage stands now; undefined for a customer of another organization. */
  readonly rate: (organizationId: string, month: Month) => Promise<RatedMonth | undefined>
}

export function groupCalls(pointPool: Pool): GroupedCalls {
  const sql = preparedSql(pointPool)
  return { record: recording(sql, recordingFresh(pointPool, sql)), rate: rating(sql) }
}

function recording(sql: Sql, recordFresh: RecordFresh): GroupedCalls['record'] {
  const takeTurn = limitAtOnce(ALONE_AT_ONCE_MAX, isDatabaseUnavailable)
  const alone = new Map<number, number>()
  const count = ({ customerNo }: NewEvent, more: number): void => {
    const left = (alone.get(customerNo) ?? 0) + more
    if (left > 0) alone.set(customerNo, left)
    else alone.delete(customerNo)
  }
  const recordAlone = async (event: NewEvent): Promise<Recorded> => {
    count(event, 1)
    try {
      const attempt = () => takeTurn(() => storeNewEvents(sql, [event], [LINE]))
      return { stored: (await withPatience(attempt))[0] }
    } finally {
      count(event, -1)
    }
  }
  const recordGrouped = createGrouping({
    max: GROUP_MAX,
    run: async (events: readonly NewEvent[], next) => {
      const { recorded, left } = await recordFresh(events, next)
      if (left.length === 0) return recorded
      return new Map([...recorded, ...(await storeTogether(sql, left, recorded.size > 0))])
    },
    runAlone: recordAlone,
  })
  // While an event of a customer waits for an upload, the next one may well have to: it must not detain a group.
  return (event) => (alone.has(event.customerNo) ? recordAlone(event) : recordGrouped(event))
}

async function storeTogether(
  sql: Sql,
  events: readonly NewEvent[],
  othersAreStored: boolean,
): Promise<Map<NewEvent, Recorded>> {
  try {
    const lines = events.map(() => LINE)
    const stored = await storeNewEvents(sql, events, lines)
    return new Map(events.map((event, at) => [event, { stored: stored[at] }]))
  } catch (error) {
    // What is told to all of a group must be true of all.
    if (isDatabaseUnavailable(error) && !othersAreStored) throw error
    // One of them is at fault, or has to wait for an upload; which, each finds out by itself.
    return new Map()
  }
}

const keyOf = ({ customerNo, period }: Month): string => `${customerNo} ${period}`

async function rateAll(
  sql: Sql,
  organizationId: string,
  months: readonly Month[],
): Promise<Map<string, RatedMonth>> {
  const asked = [...new Map(months.map((month) => [keyOf(month), month])).values()]
  const rated = await rateMonths(sql, { organizationId, months: asked })
  // Of a month with bills in several currencies the first is shown: that of the plan in force when it ends.
  return new Map([...rated].reverse().map((month) => [keyOf(month), month]))
}

/** Organizations are rated side by side: where the plan of one reads many events, the others need not wait. */
function rating(sql: Sql): GroupedCalls['rate'] {
  const organizations = new Map<string, (month: Month) => Promise<RatedMonth | undefined>>()
  return (organizationId, month) => {
    const rateGrouped = organizations.get(organizationId) ?? ratingOf(sql, organizationId)
    organizations.set(organizationId, rateGrouped)
    return rateGrouped(month)
  }
}

const ratingOf = (sql: Sql, organizationId: string) =>
  createGrouping<Month, RatedMonth | undefined>({
    max: GROUP_MAX,
    run: async (months) => {
      const rated = await rateAll(sql, organizationId, months).catch(() => undefined)
      // What one month cannot be rated for is no failure of the others: each finds out by itself.
      return new Map(rated && months.map((month) => [month, rated.get(keyOf(month))]))
    },
    runAlone: async (month) => (await rateAll(sql, organizationId, [month])).get(keyOf(month)),
  })
