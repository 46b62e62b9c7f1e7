import { setImmediate as nextTurn } from 'node:timers/promises'
import { decimal, sum, toPlain } from '@billtrail/domain'
import {
  arrayText,
  type Pool,
  runTogether,
  type Sql,
  type Statement,
  type TextRow,
} from '@billtrail/platform'
import { hstoreText } from './hstore-text'
import type { CurrencyBill } from './rating/rate-parts'
import { type PlainMonth, ratePlainMonth } from './rating/rate-plain-month'
import type { TypeUsage } from './rating/read-months'
import {
  addToUsage,
  holdOpenSegment,
  isUnsealed,
  type NewEvent,
  NO_UPLOAD,
  waitForLocksBriefly,
} from './record-events'

/** What is known of a customer whose events are stored. */
export interface FreshCustomer {
  readonly organizationId: string
  /** IANA name of the customer's zone, else of the organization's. */
  readonly zone: string
}

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

// First: the statements after it see segments as they stay until the commit.
const HOLD = `select ${waitForLocksBriefly}, ${holdOpenSegment('$1::uuid')}`

// A key that is stored already fails it, and with it everything.
const STORE = `
  insert into events (customer_no, event_type_no, event_date, event_key, upload_no, line,
                      quantity, event_id, properties, segment_no)
  select customer_no, event_type_no, event_date, event_key, ${NO_UPLOAD}, ${LINE},
         quantity, event_id, properties, segment_no
  from unnest($1::int[], $2::int[], $3::timestamptz[], $4::uuid[], $5::numeric[], $6::text[], $7::hstore[], $8::smallint[])
    as sent (customer_no, event_type_no, event_date, event_key, quantity, event_id, properties, segment_no)`

// The sums come from whoever calls: no look at customers, nothing to group.
const COUNT = `
  with changed as (
    insert into usage_changes (customer_no, period) select * from unnest($1::int[], $2::text[])
  )
  insert into counted_usage as usage
    (customer_no, period, event_type_no, own_price, quantity, amount, events, last_received_at)
  select customer_no, period, event_type_no, false, quantity, 0, events, now()
  from unnest($1::int[], $2::text[], $3::int[], $4::numeric[], $5::int[])
    as summed (customer_no, period, event_type_no, quantity, events)
  ${addToUsage}`

/** Fails the statement, and with it everything, where it does not hold. */
const check = (condition: string): string => `1 / (${condition})::int`

// Of one organization. That it stores where it was taken to: of one that was taken to have no other segment all are
// looked at, and a second one fails it.
const READ = `
  select w.customer_no, w.period,
         case when (select 1 from subscriptions s where s.customer_no = w.customer_no limit 1) is null
               and (select 1 from customer_taxes t where t.customer_no = w.customer_no limit 1) is null
               and (select 1 from tax_rates t where t.organization_id = $3::uuid and t.is_default limit 1) is null
               and not exists (select from uploads where state = 'committed' and not usage_counted)
              then (select v.id from organizations o
                    join plan_versions v on v.plan_id = o.default_plan_id and v.state = 'active' where o.id = $3)
         end as plan_version_id,
         u.event_type_no, u.own_price, u.quantity, u.events,
         ${check('(select organization_id from customers c where c.customer_no = w.customer_no) is not distinct from $3')},
         ${check(`(select segment_no from event_segments
                   where organization_id = $3 and (is_open or $5::boolean)) is not distinct from $4::smallint`)}
  from unnest($1::int[], $2::text[]) as w (customer_no, period)
  cross join lateral (
    select event_type_no, own_price, quantity, events
    from counted_usage where customer_no = w.customer_no and period = w.period offset 0
  ) as u`

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

/** Organizations and zones of customers, by their numbers; those that are not there are missing. */
export async function freshCustomersOf(
  sql: Sql,
  customerNos: readonly number[],
): Promise<Map<number, FreshCustomer>> {
  const { rows } = await sql.query<FreshCustomer & { customer_no: number }>(
    `select c.customer_no, o.id as "organizationId", coalesce(c.timezone, o.timezone) as zone
     from unnest($1::int[]) as w (customer_no)
     cross join lateral (select * from customers where customer_no = w.customer_no offset 0) as c
     join organizations o on o.id = c.organization_id`,
    [customerNos],
  )
  return new Map(rows.map(({ customer_no, ...customer }) => [customer_no, customer]))
}

/** Where organizations store, by their ids; one that has never stored is missing. */
export async function openSegmentsOf(
  sql: Sql,
  organizationIds: readonly string[],
): Promise<Map<string, OpenSegment>> {
  const { rows } = await sql.query<OpenSegment & { organization_id: string }>(
    `select organization_id, max(segment_no) filter (where is_open) as "segmentNo", count(*) = 1 as "isOnly"
     from event_segments where organization_id = any($1::uuid[]) group by 1`,
    [organizationIds],
  )
  return new Map(rows.map(({ organization_id, ...segment }) => [organization_id, segment]))
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
 * is known already, or is not of its organization, segment or month: nothing of that is trusted. Nothing was stored then; see
 * also `storeNewEvents`.
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
  const organizations = new Map<string, FreshEvent[]>()
  for (const one of fresh) addTo(organizations, one.organizationId, one)
  const byOrganization = [...organizations.values()]
  const before = [...organizations.keys()].sort().map((id) => step('hold', HOLD, [id]))
  const reads = byOrganization.map(readOf)
  const elsewhere = byOrganization.filter(([one]) => !one!.segment.isOnly).map(checkSealedOf)
  const nearTurn = fresh.filter(isNearTurn)
  const rows = await runTogether(pool, [
    ...before,
    step('store', STORE, columns(fresh)),
    step('count', COUNT, sums(fresh)),
    ...reads,
    ...elsewhere,
    ...(nearTurn.length === 0 ? [] : [checkMonthsOf(nearTurn)]),
  ])
  const firstRead = before.length + 2
  return rows.slice(firstRead, firstRead + reads.length).flat()
}

const step = (name: string, text: string, values: readonly string[]): Statement => ({
  name: `fresh_${name}`,
  text,
  values,
})

function addTo<Item>(groups: Map<string, Item[]>, key: string, item: Item): void {
  const group = groups.get(key)
  if (group) group.push(item)
  else groups.set(key, [item])
}

const monthOf = ({ event, period }: FreshEvent): string => `${event.customerNo} ${period}`

/** The months of one organization. */
function readOf(fresh: readonly FreshEvent[]): Statement {
  const { organizationId, segment } = fresh[0]!
  const months = [...new Map(fresh.map((one) => [monthOf(one), one])).values()]
  return step('read', READ, [
    arrayText(months.map(({ event }) => event.customerNo)),
    arrayText(months.map(({ period }) => period)),
    organizationId,
    String(segment.segmentNo),
    String(segment.isOnly),
  ])
}

const checkSealedOf = (fresh: readonly FreshEvent[]): Statement =>
  step('check_sealed', CHECK_SEALED, [
    arrayText(fresh.map(({ event }) => event.customerNo)),
    arrayText(fresh.map(({ event }) => event.eventKey)),
    fresh[0]!.organizationId,
  ])

const checkMonthsOf = (fresh: readonly FreshEvent[]): Statement =>
  step('check_months', CHECK_MONTHS, [
    arrayText(fresh.map(({ event }) => event.customerNo)),
    arrayText(fresh.map(({ event }) => event.eventDate)),
    arrayText(fresh.map(({ period }) => period)),
  ])

/** No zone has ever been further from UTC. */
const FURTHEST_MS = 16 * 3600e3

/** Whether another zone could have it in another month. */
function isNearTurn({ event, period }: FreshEvent): boolean {
  const at = Date.parse(event.eventDate)
  const isWithin = (ms: number) => new Date(ms).toISOString().startsWith(`${period}-`)
  return !isWithin(at - FURTHEST_MS) || !isWithin(at + FURTHEST_MS)
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

const columns = (fresh: readonly FreshEvent[]): string[] => {
  const events = fresh.map(({ event }) => event)
  return [
    arrayText(events.map((event) => event.customerNo)),
    arrayText(events.map((event) => event.eventTypeNo)),
    arrayText(events.map((event) => event.eventDate)),
    arrayText(events.map((event) => event.eventKey)),
    arrayText(events.map((event) => event.quantity)),
    arrayText(events.map((event) => event.eventId)),
    arrayText(
      events.map(({ properties }) => (properties === null ? null : hstoreText(properties))),
    ),
    arrayText(fresh.map(({ segment }) => segment.segmentNo)),
  ]
}

/** By customer, month and event type, in this order: everybody takes the rows of counted_usage in it. */
function sums(fresh: readonly FreshEvent[]): string[] {
  const groups = new Map<string, FreshEvent[]>()
  for (const one of fresh) addTo(groups, `${monthOf(one)} ${one.event.eventTypeNo}`, one)
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
  const rowsOf = new Map<string, TextRow[]>()
  for (const row of rows) addTo(rowsOf, `${row[0]} ${row[1]}`, row)
  return fresh.map((one) => {
    const own = rowsOf.get(monthOf(one)) ?? []
    const planVersionId = own[0]?.[2]
    if (planVersionId == null || own.some(([, , , , ownPrice]) => ownPrice === 't'))
      return undefined
    const types = own.map(([, , , typeNo, , quantity, events]): TypeUsage => {
      const eventType = typeNames.get(Number(typeNo))!
      return { eventType, quantity: quantity!, events: Number(events) }
    })
    return { planVersionId, types }
  })
}
