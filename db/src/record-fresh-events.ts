import { setImmediate as nextTurn } from 'node:timers/promises'
import { decimal, periodEverywhere, toPlain } from '@billtrail/domain'
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
import { keptPlan, planOf } from './rating/plan-versions'
import { ratePlainMonth } from './rating/rate-plain-month'
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

async function namesOf(sql: Sql, typeNos: readonly number[]): Promise<Map<number, string>> {
  const { rows } = await sql.query<{ event_type_no: number; name: string }>(
    'select event_type_no, name from event_types where event_type_no = any($1)',
    [[...new Set(typeNos)]],
  )
  return new Map(rows.map((row) => [row.event_type_no, row.name]))
}

/**
 * Stores events in one transaction and counts them, all or none, and says of each, in the order given, what its month comes to
 * then, if that can be seen at once. It is the short way for the usual: events that are new, in months that have one plan, no prices of their
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
): Promise<readonly FreshOutcome[]> {
  if (typeNames.size > NAMES_MAX) typeNames.clear()
  const unknown = given.map(({ event }) => event.eventTypeNo).filter((no) => !typeNames.has(no))
  const names = unknown.length === 0 ? undefined : await namesOf(sql, unknown)
  const rows = await storeAndRead(pool, given)
  onStored()
  await nextTurn()
  // Not before: what a crash of the database takes back may come to stand for another type.
  if (names) for (const [typeNo, name] of names) typeNames.set(typeNo, name)
  const bills = await billsOf({ sql, typeNames }, rows)
  return given.map((one) => ({
    eventType: typeNames.get(one.event.eventTypeNo)!,
    bill: bills.get(monthOf(one)),
  }))
}

/** The rows of all months. */
async function storeAndRead(pool: Pool, given: readonly FreshEvent[]): Promise<readonly TextRow[]> {
  const fresh = [...given].sort(byUsage)
  const organizations = new Map<string, FreshEvent[]>()
  for (const one of fresh) addTo(organizations, one.organizationId, one)
  const steps = [...organizations.keys()].sort().map((id) => step('hold', HOLD, [id]))
  steps.push(step('store', STORE, columns([...given].sort(byEventKey))))
  steps.push(step('count', COUNT, sums(fresh)))
  const firstRead = steps.length
  for (const ours of organizations.values()) steps.push(readOf(ours))
  const afterReads = steps.length
  for (const ours of organizations.values()) {
    if (!ours[0]!.segment.isOnly) steps.push(checkSealedOf(ours))
  }
  const nearTurn = fresh.filter(isNearTurn)
  if (nearTurn.length > 0) steps.push(checkMonthsOf(nearTurn))
  const rows = await runTogether(pool, steps)
  return afterReads - firstRead === 1 ? rows[firstRead]! : rows.slice(firstRead, afterReads).flat()
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

/** The months of one organization, whose events are in the order of `byUsage`. */
function readOf(fresh: readonly FreshEvent[]): Statement {
  const { organizationId, segment } = fresh[0]!
  const months = fresh.filter((one, at) => at === 0 || byMonth(one, fresh[at - 1]!) !== 0)
  return step('read', READ, [
    arrayText(months, ({ event }) => event.customerNo),
    arrayText(months, ({ period }) => period),
    organizationId,
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

const columns = (fresh: readonly FreshEvent[]): string[] => [
  arrayText(fresh, ({ event }) => event.customerNo),
  arrayText(fresh, ({ event }) => event.eventTypeNo),
  arrayText(fresh, ({ event }) => event.eventDate),
  arrayText(fresh, ({ event }) => event.eventKey),
  arrayText(fresh, ({ event }) => event.quantity),
  arrayText(fresh, ({ event }) => event.eventId),
  arrayText(fresh, ({ event: { properties } }) => properties && hstoreText(properties)),
  arrayText(fresh, ({ segment }) => segment.segmentNo),
]

/** By customer, month and event type, in the order given, that of `byUsage`: everybody takes the rows of counted_usage in it. */
function sums(fresh: readonly FreshEvent[]): string[] {
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
  return [
    arrayText(summed, ({ one }) => one.event.customerNo),
    arrayText(summed, ({ one }) => one.period),
    arrayText(summed, ({ one }) => one.event.eventTypeNo),
    arrayText(summed, ({ quantity }) => quantity),
    arrayText(summed, ({ events }) => events),
  ]
}

const byMonth = (a: FreshEvent, b: FreshEvent): number =>
  a.event.customerNo - b.event.customerNo ||
  (a.period < b.period ? -1 : a.period > b.period ? 1 : 0)

const byUsage = (a: FreshEvent, b: FreshEvent): number =>
  byMonth(a, b) || a.event.eventTypeNo - b.event.eventTypeNo

/** UUID texts compare as their bytes do. */
const byEventKey = ({ event: a }: FreshEvent, { event: b }: FreshEvent): number =>
  a.customerNo - b.customerNo || (a.eventKey < b.eventKey ? -1 : 1)

/**
 * What months come to, by `monthOf`; one that takes more than its rows is missing. The events are stored: what goes wrong from
 * here on is for whoever rates their months.
 */
async function billsOf(
  { sql, typeNames }: Omit<FreshTools, 'pool'>,
  rows: readonly TextRow[],
): Promise<ReadonlyMap<string, CurrencyBill | undefined>> {
  const bills = new Map<string, CurrencyBill | undefined>()
  try {
    const seen = rows.map(([, , , typeNo]) => Number(typeNo)).filter((no) => !typeNames.has(no))
    if (seen.length > 0) {
      for (const [typeNo, name] of await namesOf(sql, seen)) typeNames.set(typeNo, name)
    }
    const months = new Map<string, TextRow[]>()
    for (const row of rows) addTo(months, `${row[0]} ${row[1]}`, row)
    for (const [month, own] of months) {
      const planVersionId = own[0]![2]
      if (planVersionId == null || own.some(([, , , , ownPrice]) => ownPrice === 't')) continue
      const plan = keptPlan(planVersionId) ?? (await planOf(sql, planVersionId))
      bills.set(
        month,
        ratePlainMonth(
          plan,
          own.map((row) => typeUsageOf(row, typeNames)),
        ),
      )
    }
  } catch {
    bills.clear()
  }
  return bills
}

const typeUsageOf = (
  [, , , typeNo, , quantity, events]: TextRow,
  typeNames: ReadonlyMap<number, string>,
): TypeUsage => ({
  eventType: typeNames.get(Number(typeNo))!,
  quantity: quantity!,
  events: Number(events),
})
