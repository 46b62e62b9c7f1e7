import { setImmediate as nextTurn } from 'node:timers/promises'
import { decimal, sum, toPlain } from '@billtrail/domain'
import { arrayText, type Pool, runTogether, type Sql, type TextRow } from '@billtrail/platform'
import { hstoreText } from './hstore-text'
import type { CurrencyBill } from './rating/rate-parts'
import { type PlainMonth, ratePlainMonth } from './rating/rate-plain-month'
import type { TypeUsage } from './rating/read-months'
import { addToUsage, type NewEvent, storeSent } from './record-events'

/** An event without a price of its own, and where it is taken to count. */
export interface FreshEvent {
  readonly event: NewEvent
  /** IANA name of the customer's zone, or the organization's, and the event's month by it; both are checked. */
  readonly zone: string
  readonly period: string
}

export interface FreshTools {
  readonly pool: Pool
  /** The same database, for single statements. */
  readonly sql: Sql
  /** Event types by their numbers, as they are met: they never change. */
  readonly typeNames: Map<number, string>
}

export interface FreshOutcome {
  readonly eventType: string
  /** What its month comes to; undefined where that takes more than a look at the month's totals. */
  readonly bill: CurrencyBill | undefined
}

/** One event of one request: it stands on the first line. */
const LINE = 1
const NAMES_MAX = 100_000

// The sums come from whoever calls: no look at customers, nothing to group. That each event was new, the count says.
const RECORD = `
  with ${storeSent('customer_no', { inOrder: true })}, counted as (
    insert into counted_usage as usage
      (customer_no, period, event_type_no, own_price, quantity, amount, events, last_received_at)
    select customer_no, period, event_type_no, false, quantity, 0, events, now()
    from unnest($10::int[], $11::text[], $12::int[], $13::numeric[], $14::int[])
      as summed (customer_no, period, event_type_no, quantity, events)
    ${addToUsage}
  ), changed as (
    insert into usage_changes (customer_no, period) select * from unnest($10::int[], $11::text[])
  )
  select 1 / (count(*) = cardinality($1))::int from stored`

// Runs in the same transaction. From the first row of counted_usage on, nobody can change a zone (see `holdUsage`): a month
// that was not the event's fails here, and with it everything.
const READ = `
  select w.place,
         1 / (to_char(w.event_date at time zone coalesce(c.timezone, o.timezone), 'YYYY-MM') = w.period)::int as checked,
         case when (select 1 from subscriptions s where s.customer_no = w.customer_no limit 1) is null
               and (select 1 from customer_taxes t where t.customer_no = w.customer_no limit 1) is null
               and (select 1 from tax_rates t where t.organization_id = o.id and t.is_default limit 1) is null
               and not exists (select from uploads where state = 'committed' and not usage_counted)
              then (select v.id from plan_versions v where v.plan_id = o.default_plan_id and v.state = 'active')
         end as plan_version_id,
         u.event_type_no, u.own_price, u.quantity, u.events
  from unnest($1::int[], $2::timestamptz[], $3::text[]) with ordinality as w (customer_no, event_date, period, place)
  cross join lateral (
    select organization_id, timezone from customers where customer_no = w.customer_no offset 0
  ) as c
  join organizations o on o.id = c.organization_id
  cross join lateral (
    select event_type_no, own_price, quantity, events
    from counted_usage where customer_no = w.customer_no and period = w.period offset 0
  ) as u`

/** The time zones of customers: their own, else their organization's. */
export async function zonesOf(
  sql: Sql,
  customerNos: readonly number[],
): Promise<Map<number, string>> {
  const { rows } = await sql.query<{ customer_no: number; zone: string }>(
    `select c.customer_no, coalesce(c.timezone, o.timezone) as zone
     from unnest($1::int[]) as w (customer_no)
     cross join lateral (select * from customers where customer_no = w.customer_no offset 0) as c
     join organizations o on o.id = c.organization_id`,
    [customerNos],
  )
  return new Map(rows.map((row) => [row.customer_no, row.zone]))
}

async function namesOf(sql: Sql, typeNos: ReadonlySet<number>): Promise<Map<number, string>> {
  if (typeNos.size === 0) return new Map()
  const { rows } = await sql.query<{ event_type_no: number; name: string }>(
    'select event_type_no, name from event_types where event_type_no = any($1)',
    [[...typeNos]],
  )
  return new Map(rows.map((row) => [row.event_type_no, row.name]))
}

/**
 * Stores events in one transaction and counts them, all or none, and says of each what its month comes to then, if that can
 * be seen at once. It is the short way for the usual: events that are new, in months that have one plan, no prices of their
 * events' own, and no upload that waits to be counted. Quantities have to be canonical (`parseDecimalText`).
 *
 * Calls `onStored` when they are stored, and leaves a turn of the event loop to whoever waits for that. Throws where one of them
 * is known already, or does not count in its `period`, and nothing was stored; see also `storeNewEvents`.
 */
export async function recordFreshEvents(
  { pool, sql, typeNames }: FreshTools,
  given: readonly FreshEvent[],
  onStored: () => void = () => undefined,
): Promise<Map<NewEvent, FreshOutcome>> {
  const fresh = [...given].sort(byEventKey)
  if (typeNames.size > NAMES_MAX) typeNames.clear()
  const unknown = fresh.map(({ event }) => event.eventTypeNo).filter((no) => !typeNames.has(no))
  const names = await namesOf(sql, new Set(unknown))
  const rows = await storeAndRead(pool, fresh)
  onStored()
  await nextTurn()
  // Not before: what a crash of the database takes back may come to stand for another type.
  for (const [typeNo, name] of names) typeNames.set(typeNo, name)
  const bills = await billsOf({ sql, typeNames }, fresh, rows)
  return new Map(
    fresh.map(({ event }, at) => [
      event,
      { eventType: typeNames.get(event.eventTypeNo)!, bill: bills[at] },
    ]),
  )
}

async function storeAndRead(pool: Pool, fresh: readonly FreshEvent[]): Promise<readonly TextRow[]> {
  const events = fresh.map(({ event }) => event)
  const customers = arrayText(events.map((event) => event.customerNo))
  const dates = arrayText(events.map((event) => event.eventDate))
  const values = [...columns(events, customers, dates), ...sums(fresh)]
  const periods = arrayText(fresh.map(({ period }) => period))
  const [, rows] = await runTogether(pool, [
    { name: 'record_fresh', text: RECORD, values },
    { name: 'read_plain', text: READ, values: [customers, dates, periods] },
  ])
  return rows!
}

/** The events are stored: what goes wrong from here on is for whoever rates their months. */
async function billsOf(
  { sql, typeNames }: Omit<FreshTools, 'pool'>,
  fresh: readonly FreshEvent[],
  rows: readonly TextRow[],
): Promise<(CurrencyBill | undefined)[]> {
  try {
    const seen = rows.map(([, , , typeNo]) => Number(typeNo)).filter((no) => !typeNames.has(no))
    for (const [typeNo, name] of await namesOf(sql, new Set(seen))) typeNames.set(typeNo, name)
    const months = plainMonths(fresh, rows, typeNames)
    return await Promise.all(
      months.map((month) => (month ? ratePlainMonth(sql, month) : Promise.resolve(undefined))),
    )
  } catch {
    return []
  }
}

const columns = (events: readonly NewEvent[], customers: string, dates: string): string[] => [
  customers,
  arrayText(events.map((event) => event.eventTypeNo)),
  dates,
  arrayText(events.map((event) => event.eventKey)),
  arrayText(events.map(() => LINE)),
  arrayText(events.map((event) => event.quantity)),
  arrayText(events.map((event) => event.unitPrice)),
  arrayText(events.map((event) => event.eventId)),
  arrayText(events.map(({ properties }) => (properties === null ? null : hstoreText(properties)))),
]

/** By customer, month and event type, in this order: everybody takes the rows of counted_usage in it. */
function sums(fresh: readonly FreshEvent[]): string[] {
  const groups = new Map<string, FreshEvent[]>()
  for (const one of fresh) {
    const key = `${one.event.customerNo} ${one.period} ${one.event.eventTypeNo}`
    const same = groups.get(key)
    if (same) same.push(one)
    else groups.set(key, [one])
  }
  const summed = [...groups.values()].sort(([a], [b]) => byKey(a!, b!))
  return [
    arrayText(summed.map(([one]) => one!.event.customerNo)),
    arrayText(summed.map(([one]) => one!.period)),
    arrayText(summed.map(([one]) => one!.event.eventTypeNo)),
    arrayText(
      summed.map((same) =>
        same.length === 1
          ? same[0]!.event.quantity
          : toPlain(sum(same.map(({ event }) => decimal(event.quantity)))),
      ),
    ),
    arrayText(summed.map((same) => same.length)),
  ]
}

const byKey = (a: FreshEvent, b: FreshEvent): number =>
  a.event.customerNo - b.event.customerNo ||
  (a.period < b.period ? -1 : a.period > b.period ? 1 : a.event.eventTypeNo - b.event.eventTypeNo)

/** UUID texts compare as their bytes do. */
const byEventKey = ({ event: a }: FreshEvent, { event: b }: FreshEvent): number =>
  a.customerNo - b.customerNo || (a.eventKey < b.eventKey ? -1 : 1)

/** The month of each event as the database shows it; undefined where it takes more to rate it. */
function plainMonths(
  fresh: readonly FreshEvent[],
  rows: readonly TextRow[],
  typeNames: ReadonlyMap<number, string>,
): (PlainMonth | undefined)[] {
  const types = fresh.map((): TypeUsage[] => [])
  const versions = fresh.map((): string | null => null)
  const withOwnPrice = new Set<number>()
  for (const [place, , version, typeNo, ownPrice, quantity, events] of rows) {
    const at = Number(place) - 1
    versions[at] = version!
    if (ownPrice === 't') withOwnPrice.add(at)
    const eventType = typeNames.get(Number(typeNo))!
    types[at]!.push({ eventType, quantity: quantity!, events: Number(events) })
  }
  return fresh.map(({ event: { customerNo }, zone, period }, at) => {
    const planVersionId = versions[at]
    if (planVersionId == null || withOwnPrice.has(at)) return undefined
    return { customerNo, zone, period, planVersionId, types: types[at]! }
  })
}
