import { type RatedBill, type RatedUsage, ratePlan } from '@billtrail/domain'
import type { RatingPlan } from './plan-versions'
import type { TypeUsage } from './read-months'
import { usageOfTotals } from './usage-of-totals'

/** What a month comes to, without what only invoices say. */
export interface MonthBill {
  readonly currency: string
  readonly bill: RatedBill
  readonly events: number
}

/**
 * Rates the usage of a month that one plan prices from one end to the other, without taxes and without events that have their
 * own price; undefined where a meter of the plan has to look into its events.
 */
export function ratePlainMonth(
  { version, meters }: RatingPlan,
  types: readonly TypeUsage[],
): MonthBill | undefined {
  const totals = { types, ownPrices: [], ownPriceEvents: 0 }
  const byCharge = new Map<string, RatedUsage>()
  for (const charge of version.charges) {
    const meter = charge.meter === null ? undefined : meters.get(charge.meter)
    if (meter === undefined) continue
    const known = usageOfTotals(charge, meter, totals)
    if (known === undefined) return undefined
    byCharge.set(charge.id, known)
  }
  let events = 0
  for (const type of types) events += type.events
  const bill = ratePlan({ plan: version, usage: { byCharge } })
  return { currency: version.currency, bill, events }
}
