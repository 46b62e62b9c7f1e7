import {
  type BillCharge,
  decimal,
  type Decimal,
  type GroupUsage,
  planCharges,
  type PlanUsage,
  rateBill,
  type RatedBill,
  type RatedUsage,
  sum,
  type Tax,
} from '@billtrail/domain'
import type { PlanPart, PlanSnapshot } from './plan-versions'
import type { MonthPart } from './split-month'

/** A part of a month with what its plan's meters make of it. */
export interface MeasuredPart {
  readonly part: Pick<MonthPart, 'plan' | 'subscribed' | 'share' | 'usage'>
  readonly usage: PlanUsage
}

/** What a month comes to in one currency. */
export interface CurrencyBill {
  readonly currency: string
  readonly planVersionId: string
  readonly plan: PlanSnapshot
  /** The plan is not just the version: a customer's own prices, or a month of several parts. */
  readonly ownPlan: boolean
  readonly subscribed: boolean
  readonly bill: RatedBill
  readonly quantity: Decimal
  readonly events: number
}

/**
 * Rates the parts of one month: one bill for each currency that has usage or lines (else one of nothing), that of the plan in
 * force when the month ends first. Each part is rated by its own plan on its own usage; tiers start anew in each,
 * unless its plan carries them.
 */
export function rateParts(parts: readonly MeasuredPart[], taxes: readonly Tax[]): CurrencyBill[] {
  if (parts.length === 1) return [rateCurrency(parts, taxes)]
  const carried = parts.map((one, at) => carryTiers(one, parts.slice(0, at)))
  const currencies = new Set([...carried].reverse().map(({ part }) => part.plan.version.currency))
  const bills = [...currencies].map((currency) =>
    rateCurrency(
      carried.filter(({ part }) => part.plan.version.currency === currency),
      taxes,
    ),
  )
  const said = bills.filter((one) => one.events > 0 || one.bill.lines.length > 0)
  return said.length > 0 ? said : bills.slice(0, 1)
}

/** Parts that are priced in one currency. */
function rateCurrency(parts: readonly MeasuredPart[], taxes: readonly Tax[]): CurrencyBill {
  const { plan } = parts.at(-1)!.part
  const { currency } = plan.version
  const split = parts.some(({ part }) => part.share !== undefined)
  const { quantity, events } = usedIn(parts)
  return {
    currency,
    planVersionId: plan.snapshot.version_id,
    plan: split ? { ...plan.snapshot, parts: parts.map(planPart) } : plan.snapshot,
    ownPlan: split || plan.overridden,
    subscribed: parts.some(({ part }) => part.subscribed),
    bill: rateBill({ currency, charges: parts.flatMap(chargesOf), taxes }),
    quantity,
    events,
  }
}

function chargesOf({ part, usage }: MeasuredPart): BillCharge[] {
  const { share, plan } = part
  const charges = planCharges({ plan: plan.version, usage, days: share?.days })
  if (share === undefined) return charges
  return charges.map((charge) => ({ ...charge, name: `${charge.name}, ${spanText(share)}` }))
}

const spanText = ({ fromDate, toDate }: { fromDate: string; toDate: string }): string =>
  `${fromDate} up to ${toDate}`

function planPart({ part }: MeasuredPart): PlanPart {
  const { fromDate = '', toDate = '' } = part.share ?? {}
  return { ...part.plan.snapshot, from: fromDate, to: toDate }
}

function usedIn(parts: readonly MeasuredPart[]): Pick<CurrencyBill, 'quantity' | 'events'> {
  const quantities: Decimal[] = []
  let events = 0
  for (const { part } of parts) {
    const { types, ownPrices, ownPriceEvents } = part.usage
    for (const one of types) {
      quantities.push(decimal(one.quantity))
      events += one.events
    }
    for (const one of ownPrices) quantities.push(decimal(one.quantity))
    events += ownPriceEvents
  }
  return { quantity: sum(quantities), events }
}

/**
 * Where the plan carries tiers, what earlier parts of the month used of the same charge comes in before its own usage.
 * Only quantities that add up are carried: those of sums and counts.
 */
function carryTiers(one: MeasuredPart, earlier: readonly MeasuredPart[]): MeasuredPart {
  const { plan } = one.part
  if (!(plan.version.carryTiers ?? false) || earlier.length === 0) return one
  const byCharge = new Map(one.usage.byCharge)
  for (const charge of plan.version.charges) {
    const usage = byCharge.get(charge.id)
    const meter = charge.meter === null ? undefined : plan.meters.get(charge.meter)
    if (usage === undefined || meter === undefined) continue
    if (meter.aggregation !== 'sum' && meter.aggregation !== 'count') continue
    const before = earlier.flatMap(({ part, usage: known }) => {
      const same = part.plan.version.charges.find(
        ({ id, meter: code }) => id === charge.id && code === charge.meter,
      )
      const used = same && known.byCharge.get(same.id)
      return used === undefined ? [] : [used]
    })
    byCharge.set(charge.id, carriedInto(usage, before))
  }
  return { ...one, usage: { ...one.usage, byCharge } }
}

function carriedInto(usage: RatedUsage, before: readonly RatedUsage[]): RatedUsage {
  const total = (parts: readonly GroupUsage[]) => sum(parts.map((part) => part.quantity))
  const whole = { ...usage, carriedIn: total(before) }
  if (usage.groups === undefined) return whole
  const groups = usage.groups.map((group) => {
    const key = keyOf(group.properties)
    const same = before.flatMap(({ groups: known = [] }) =>
      known.filter(({ properties }) => keyOf(properties) === key).map((known) => known.usage),
    )
    return { ...group, usage: { ...group.usage, carriedIn: total(same) } }
  })
  return { ...whole, groups }
}

const keyOf = (properties: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1)))
