import type { Sql } from '@billtrail/platform'
import { readSpanTotals } from './metering/read-span-totals'
import { measureParts } from './rating/measure-parts'
import { type CurrencyBill, type MeasuredPart, rateParts } from './rating/rate-parts'
import {
  type Month,
  type MonthState,
  readMonths,
  type TypeUsage,
  type UsageTotals,
} from './rating/read-months'
import { type MonthPart, splitMonth } from './rating/split-month'

export type { Month, TypeUsage } from './rating/read-months'
export type { PlanPart, PlanSnapshot } from './rating/plan-versions'
export type { CurrencyBill } from './rating/rate-parts'

/**
 * What one customer's month comes to in one currency, under the plans that were in force in it: their snapshot, the rated bill,
 * and the quantity and number of all events, those with their own price too.
 */
export interface RatedMonth extends Month, CurrencyBill {
  /** All events of the month by type, whatever they cost and in whichever currency. */
  readonly types: readonly TypeUsage[]
}

/**
 * Rates months of the organization's customers as their usage stands now. It answers for every month asked, with 0
 * where there is no usage; a customer of another organization is left out. In the order asked; a month that was split
 * between plans of several currencies has a bill in each, that of the plan in force when it ends first.
 *
 * The plan is that of the subscription in force at the time, else the active version of the organization's default
 * plan. Throws DomainError `no_default_plan` where neither exists.
 */
export async function rateMonths(
  sql: Sql,
  request: { organizationId: string; months: readonly Month[] },
): Promise<readonly RatedMonth[]> {
  if (request.months.length === 0) return []
  const months = await readMonths(sql, request)
  const parts = await partsOf(sql, months)
  const usages = await measureParts(sql, request.organizationId, parts.flat())
  let at = 0
  return months.flatMap(({ customerNo, period, taxes, allTypes: types }, month) => {
    const measured = (parts[month] ?? []).map((part): MeasuredPart => {
      at += 1
      return { part, usage: usages[at - 1]! }
    })
    return rateParts(measured, taxes).map((bill) => ({ customerNo, period, types, ...bill }))
  })
}

/** The parts of each month with their usage: a whole month's is kept, a part's is read from the events. */
async function partsOf(sql: Sql, months: readonly MonthState[]): Promise<MonthPart[][]> {
  const split: Omit<MonthPart, 'usage'>[][] = []
  for (const month of months) split.push(await splitMonth(sql, month))
  const pieces = split.flat().filter((part) => part.share !== undefined)
  const totals = await readSpanTotals(sql, pieces)
  const read = new Map(pieces.map((piece, at): [object, UsageTotals] => [piece, totals[at]!]))
  return months.map((month, at) =>
    (split[at] ?? []).map((part) => ({ ...part, usage: read.get(part) ?? month.usage })),
  )
}
