import { type Next, type Pool, runTogether, type Sql } from '@billtrail/platform'
import {
  type FreshEvent,
  freshStatements,
  groupedBy,
  type MonthRow,
  type MonthsRead,
  type OpenSegment,
} from './fresh-statements'
import { learnPlainPlans, type PlainPlan, type PlainPlans } from './rating/plain-plans'
import { keptPlan, planOf } from './rating/plan-versions'
import { type MonthBill, ratePlainMonth } from './rating/rate-plain-month'
import type { TypeUsage } from './rating/read-months'

export type { FreshEvent, OpenSegment } from './fresh-statements'

/** What is known of a customer whose events are stored. */
export interface FreshCustomer {
  readonly organizationId: string
  /** IANA name of the customer's zone, else of the organization's. */
  readonly zone: string
}

export interface FreshTools {
  readonly pool: Pool
  /** The same database, for single statements. */
  readonly sql: Sql
  /** Event types by their numbers, as they are met: they never change. */
  readonly typeNames: Map<number, string>
  /** How customers are priced, as it is met; empty at first. */
  readonly plans: PlainPlans
}

export interface FreshOutcome {
  readonly eventType: string
  /** What its month comes to; undefined where that takes more than a look at the month's totals. */
  readonly bill: MonthBill | undefined
}

const NAMES_MAX = 100_000

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
 * Tells `next` when what is stored next would come right behind these, and when they are stored. Throws where one of them is known
 * already, or is not of its organization, segment or month: nothing of that is trusted. Nothing was stored then; see also
 * `storeNewEvents`.
 */
export async function recordFreshEvents(
  { pool, sql, typeNames, plans }: FreshTools,
  given: readonly FreshEvent[],
  next?: Next,
): Promise<readonly FreshOutcome[]> {
  if (typeNames.size > NAMES_MAX) typeNames.clear()
  const unknown = given.map(({ event }) => event.eventTypeNo).filter((no) => !typeNames.has(no))
  const names = unknown.length === 0 ? undefined : await namesOf(sql, unknown)
  const { all, reads } = freshStatements(given)
  const answers = await runTogether(pool, all, next?.mayQueue)
  next?.begins()
  // Not before: what a crash of the database takes back may come to stand for another type.
  if (names) for (const [typeNo, name] of names) typeNames.set(typeNo, name)
  const months = reads.map((read) => ({ ...read, rows: answers[read.at]! }))
  const bills = await billsOf({ sql, typeNames, plans }, months)
  return given.map((one) => ({
    eventType: typeNames.get(one.event.eventTypeNo)!,
    bill: bills.get(monthKey(one.event.customerNo, one.period)),
  }))
}

const monthKey = (customerNo: number | string, period: string): string => `${customerNo} ${period}`

interface Months extends MonthsRead {
  readonly rows: readonly MonthRow[]
}

/**
 * What months come to, by `monthKey`; one that takes more than its rows is missing. The events are stored: what goes wrong from
 * here on is for whoever rates their months.
 */
async function billsOf(
  tools: Omit<FreshTools, 'pool'>,
  months: readonly Months[],
): Promise<ReadonlyMap<string, MonthBill | undefined>> {
  const bills = new Map<string, MonthBill | undefined>()
  try {
    await learnWhatIsNew(tools, months)
    for (const { period, rows } of months) {
      for (const [customerNo, own] of groupedBy(rows, (row) => row[0]!)) {
        const planVersionId = plainPlanOf(tools.plans, own[0]!)?.planVersionId
        if (planVersionId == null || own.some(([, , ownPrice]) => ownPrice === 't')) continue
        const plan = keptPlan(planVersionId) ?? (await planOf(tools.sql, planVersionId))
        const types = own.map((row) => typeUsageOf(row, tools.typeNames))
        bills.set(monthKey(customerNo, period), ratePlainMonth(plan, types))
      }
    }
  } catch {
    bills.clear()
  }
  return bills
}

/** What was remembered of the customer of a row, if it holds for what the row's statement saw. */
function plainPlanOf(plans: PlainPlans, row: MonthRow): PlainPlan | undefined {
  const plan = plans.get(Number(row[0]))
  return plan?.generation === row[5] ? plan : undefined
}

async function learnWhatIsNew(
  { sql, typeNames, plans }: Omit<FreshTools, 'pool'>,
  months: readonly Months[],
): Promise<void> {
  for (const { organizationId, rows } of months) {
    const types = new Set<number>()
    const customerNos = new Set<number>()
    for (const row of rows) {
      if (!typeNames.has(Number(row[1]))) types.add(Number(row[1]))
      if (!plainPlanOf(plans, row)) customerNos.add(Number(row[0]))
    }
    if (types.size > 0) {
      for (const [typeNo, name] of await namesOf(sql, [...types])) typeNames.set(typeNo, name)
    }
    if (customerNos.size > 0) {
      await learnPlainPlans(sql, plans, { organizationId, customerNos: [...customerNos] })
    }
  }
}

const typeUsageOf = (
  [, typeNo, , quantity, events]: MonthRow,
  typeNames: ReadonlyMap<number, string>,
): TypeUsage => ({
  eventType: typeNames.get(Number(typeNo))!,
  quantity: quantity!,
  events: Number(events),
})
