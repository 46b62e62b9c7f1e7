import { type Decimal, ratePlan, roundToCurrency, usageNeeds } from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'
import { planOf } from './plan-versions'

export interface GroupedUsage {
  readonly planVersionId: string
  /** What each charge's meter came to, summed over the group. */
  readonly byCharge: ReadonlyMap<string, Decimal>
  /** What events with their own price came to, unrounded. */
  readonly ownPriceAmount: Decimal
}

/** The total of usage that is summed first and then rated, as one customer's would be. */
export async function rateQuantities(sql: Sql, usage: GroupedUsage): Promise<Decimal> {
  const { version } = await planOf(sql, usage.planVersionId)
  const quantities = [...usage.byCharge].map(([id, quantity]) => [id, { quantity }] as const)
  const bill = ratePlan({ plan: version, usage: { byCharge: new Map(quantities) } })
  return bill.total.plus(roundToCurrency(usage.ownPriceAmount, version.currency))
}

/** Does the plan price sums alone, so that the usage of several customers can be added up and rated as one's? */
export async function rateableFromSums(sql: Sql, planVersionId: string): Promise<boolean> {
  const { version, meters } = await planOf(sql, planVersionId)
  return version.charges.every(({ meter: code, price }) => {
    const meter = code === null ? undefined : meters.get(code)
    const { detail, dimensions } = usageNeeds(price)
    const addsUp = meter?.aggregation === 'sum' || meter?.aggregation === 'count'
    return addsUp && meter.groupBy.length === 0 && detail === 'quantity' && dimensions.length === 0
  })
}
