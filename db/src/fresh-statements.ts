import { decimal, periodEverywhere, toPlain } from '@billtrail/domain'
import { arrayText, type Statement, type TextRow } from '@billtrail/platform'
import { hstoreText } from './hstore-text'
import {
  addToUsage,
  holdOpenSegment,
  isUnsealed,
  type NewEvent,
  NO_UPLOAD,
  waitForLocksBriefly,
} from './record-events'

/** One event of one request: it stands on the first line. */
const LINE = 1

/** Where an organization stores (docs/decisions/0013). */
export interface OpenSegment {
  readonly segmentNo: number
  /** Whether it has never stored elsewhere: then no sealed segment has to be asked for its keys. */
  readonly isOnly: boolean
}

/** An event without a price of its own, and where it is taken to be stored and to count. */
export interface FreshEvent {
  readonly event: NewEvent
  readonly organizationId: string
  readonly segment: OpenSegment
  /** The event's month by the zone of its customer. */
  readonly period: string
}

/** What a group of events does, in this order, in one transaction. */
export interface FreshStatements {
  readonly all: readonly Statement[]
  /** Those of them that read months, by their places: rows as those of `MonthRow`. */
  readonly reads: readonly MonthsRead[]
}

export interface MonthsRead {
  readonly at: number
  readonly organizationId: string
  readonly period: string
}

/** What READ answers: customer_no, event_type_no, own_price, quantity, events, generation. */
export type MonthRow = TextRow

// First: the statements after it see segments as they stay until the commit.
const HOLD = `select ${waitForLocksBriefly}, ${holdOpenSegment('$1::uuid')}`

// A key that is stored already fails it, and with it everything.
const STORE = (rows: number): string => `
  insert into events (customer_no, event_type_no, event_date, event_key, upload_no, line,
                      quantity, event_id, properties, segment_no)
  values ${rowsOf(rows, `(?, ?, ?, ?, ${NO_UPLOAD}, ${LINE}, ?, ?, ?, ?)`)}`

// The sums come from whoever calls: no look at customers, nothing to group.
const COUNT = (rows: number): string => `
  with summed (customer_no, period, event_type_no, quantity, events) as (
    values ${rowsOf(rows, '(?::int, ?::text, ?::int, ?::numeric, ?::int)')}
  ), changed as (
    insert into usage_changes (customer_no, period) select customer_no, period from summed
  )
  insert into counted_usage as usage
    (customer_no, period, event_type_no, own_price, quantity, amount, events, last_received_at)
  select customer_no, period, event_type_no, false, quantity, 0, events, now() from summed
  ${addToUsage}`

/** Fails the statement, and with it everything, where it does not hold. */
const check = (condition: string): string => `1 / (${condition})::int`

// Of one organization and month. That it stores where it was taken to: of one that was taken to have no other segment all are
// looked at, and a second one fails it.
const READ = `
  select customer_no, event_type_no, own_price, quantity, events,
         (select generation from rating_generations where organization_id = $2::uuid),
         ${check('(select count(*) from customers where customer_no = any($1) and organization_id = $2) = cardinality($1)')},
         ${check(`(select segment_no from event_segments
                   where organization_id = $2 and (is_open or $5::boolean)) is not distinct from $4::smallint`)}
  from counted_usage where customer_no = any($1::int[]) and period = $3::text`

// For organizations that have stored elsewhere.
const CHECK_SEALED = `
  select ${check(isUnsealed('sent', '$3::uuid'))}
  from unnest($1::int[], $2::uuid[]) as sent (customer_no, event_key)`

// For events whose month depends on the zone. From the first row of counted_usage on, nobody can change one (see `holdUsage`).
const CHECK_MONTHS = `
  select ${check(`to_char(w.event_date at time zone coalesce(c.timezone, o.timezone), 'YYYY-MM') = w.period`)}
  from unnest($1::int[], $2::timestamptz[], $3::text[]) as w (customer_no, event_date, period)
  cross join lateral (
    select organization_id, timezone from customers where customer_no = w.customer_no offset 0
  ) as c
  join organizations o on o.id = c.organization_id`

/** So many rows of a `values` list; each `?` is the next parameter. */
function rowsOf(rows: number, row: string): string {
  let parameter = 0
  return Array<string>(rows)
    .fill(row)
    .join(', ')
    .replace(/\?/g, () => `$${++parameter}`)
}

/** What stores events, counts them by the sums they come to, and reads their months. All or nothing. */
export function freshStatements(given: readonly FreshEvent[]): FreshStatements {
  const fresh = [...given].sort(byUsage)
  const organizations = groupedBy(fresh, ({ organizationId }) => organizationId)
  const all: Statement[] = [...organizations.keys()].sort().map((id) => step('hold', HOLD, [id]))
  all.push(...listed('store', STORE, [...given].sort(byEventKey).map(eventValues)))
  all.push(...listed('count', COUNT, sums(fresh)))
  const reads: MonthsRead[] = []
  for (const [organizationId, ours] of organizations) {
    for (const [period, months] of groupedBy(ours, (one) => one.period)) {
      reads.push({ at: all.length, organizationId, period })
      all.push(readOf(months))
    }
  }
  for (const ours of organizations.values()) {
    if (!ours[0]!.segment.isOnly) all.push(checkSealedOf(ours))
  }
  const nearTurn = fresh.filter(isNearTurn)
  if (nearTurn.length > 0) all.push(checkMonthsOf(nearTurn))
  return { all, reads }
}

type Value = string | null

const step = (name: string, text: string, values: readonly Value[]): Statement => ({
  name: `fresh_${name}`,
  text,
  values,
})

/** Statements with a list of rows are prepared once for each length, so these are few. */
const ROWS_MAX = 16
const listTexts = new Map<string, string>()

/**
 * The rows, in their order, in as few statements as hold them. Arrays, which would hold any number, are dearer: PostgreSQL spends
 * 90 µs on four events as eight arrays and 77 on a list of them.
 */
function listed(
  name: string,
  textFor: (rows: number) => string,
  rows: readonly (readonly Value[])[],
): Statement[] {
  const statements: Statement[] = []
  for (let from = 0; from < rows.length; from += ROWS_MAX) {
    const to = Math.min(from + ROWS_MAX, rows.length)
    const values: Value[] = []
    for (let at = from; at < to; at++) values.push(...rows[at]!)
    const sized = `${name}_${to - from}`
    let text = listTexts.get(sized)
    if (text === undefined) listTexts.set(sized, (text = textFor(to - from)))
    statements.push(step(sized, text, values))
  }
  return statements
}

/** Items by their keys, in their order. */
export function groupedBy<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
): Map<string, Item[]> {
  const groups = new Map<string, Item[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return groups
}

/** The months of one organization and period, whose events are in the order of customers. */
function readOf(fresh: readonly FreshEvent[]): Statement {
  const { organizationId, segment, period } = fresh[0]!
  const customers = new Set(fresh.map(({ event }) => event.customerNo))
  return step('read', READ, [
    arrayText([...customers]),
    organizationId,
    period,
    String(segment.segmentNo),
    String(segment.isOnly),
  ])
}

const checkSealedOf = (fresh: readonly FreshEvent[]): Statement =>
  step('check_sealed', CHECK_SEALED, [
    arrayText(fresh, ({ event }) => event.customerNo),
    arrayText(fresh, ({ event }) => event.eventKey),
    fresh[0]!.organizationId,
  ])

const checkMonthsOf = (fresh: readonly FreshEvent[]): Statement =>
  step('check_months', CHECK_MONTHS, [
    arrayText(fresh, ({ event }) => event.customerNo),
    arrayText(fresh, ({ event }) => event.eventDate),
    arrayText(fresh, ({ period }) => period),
  ])

/** No zone has ever been further from UTC. */
const FURTHEST_MS = 16 * 3600e3

/** Whether another zone could have it in another month. */
function isNearTurn({ event, period }: FreshEvent): boolean {
  if (periodEverywhere(event.eventDate) === period) return false
  const at = Date.parse(event.eventDate)
  const isWithin = (ms: number) => new Date(ms).toISOString().startsWith(`${period}-`)
  return !isWithin(at - FURTHEST_MS) || !isWithin(at + FURTHEST_MS)
}

const eventValues = ({ event, segment }: FreshEvent): Value[] => [
  String(event.customerNo),
  String(event.eventTypeNo),
  event.eventDate,
  event.eventKey,
  event.quantity,
  event.eventId,
  event.properties && hstoreText(event.properties),
  String(segment.segmentNo),
]

/** By customer, month and event type, in the order given, that of `byUsage`: everybody takes the rows of counted_usage in it. */
function sums(fresh: readonly FreshEvent[]): Value[][] {
  const summed: { one: FreshEvent; quantity: string; events: number }[] = []
  for (const one of fresh) {
    const same = summed.at(-1)
    if (same === undefined || byUsage(same.one, one) !== 0) {
      summed.push({ one, quantity: one.event.quantity, events: 1 })
      continue
    }
    same.quantity = toPlain(decimal(same.quantity).plus(decimal(one.event.quantity)))
    same.events += 1
  }
  return summed.map(({ one: { event, period }, quantity, events }) => [
    String(event.customerNo),
    period,
    String(event.eventTypeNo),
    quantity,
    String(events),
  ])
}

const byUsage = (a: FreshEvent, b: FreshEvent): number =>
  a.event.customerNo - b.event.customerNo ||
  (a.period < b.period ? -1 : a.period > b.period ? 1 : 0) ||
  a.event.eventTypeNo - b.event.eventTypeNo

/** UUID texts compare as their bytes do. */
const byEventKey = ({ event: a }: FreshEvent, { event: b }: FreshEvent): number =>
  a.customerNo - b.customerNo || (a.eventKey < b.eventKey ? -1 : 1)
