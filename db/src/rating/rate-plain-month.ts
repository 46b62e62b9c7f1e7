import type { RatedUsage } from '@billtrail/domain'
import type { RatingPlan } from './plan-versions'
import { type CurrencyBill, rateParts } from './rate-parts'
import type { TypeUsage } from './read-months'
import { usageOfTotals } from './usage-of-totals'

/**
 * Rates the usage of a month that one plan prices from one end to the other, without taxes and without events that have their
 * own price; undefined where a meter of the plan has to look into its events.
 */
export function ratePlainMonth(
  plan: RatingPlan,
  types: readonly TypeUsage[],
): CurrencyBill | undefined {
  const totals = { types, ownPrices: [], ownPriceEvents: 0 }
  const byCharge = new Map<string, RatedUsage>()
  for (const charge of plan.version.charges) {
    const meter = charge.meter === null ? undefined : plan.meters.get(charge.meter)
    if (meter === undefined) continue
    const known = usageOfTotals(charge, meter, totals)
    if (known === undefined) return undefined
    byCharge.set(charge.id, known)
  }
  const part = { plan, subscribed: false, share: undefined, usage: totals }
  return rateParts([{ part, usage: { byCharge } }], [])[0]
}
