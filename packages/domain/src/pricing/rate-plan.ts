import { ZERO } from '../decimal'
import { aggregate, type MeterEvent, type MeterSpan } from '../meters/aggregate'
import type { Meter } from '../meters/meter'
import { type Charge, OWN_PRICE_CHARGE_ID, type PlanVersion } from './plan'
import type { BillCharge } from './rate-charge'
import type { ProratedDays } from './proration'
import { rateBill, type RatedBill } from './rate-bill'
import type { GroupUsage, RatedUsage } from './rated-usage'
import type { Tax } from './tax'
import { meterFor, readsOwnPrice } from './usage-needs'

/**
 * The usage of a plan in one period.
 *
 * An event that carries its own unit price counts only for charges that read it (`readsOwnPrice`); where no such
 * charge takes it, it belongs to `ownPrice`. So it never counts towards the tiers of another charge, and never twice.
 */
export interface PlanUsage {
  /** By charge id; a charge that is not here had no usage. */
  readonly byCharge: ReadonlyMap<string, RatedUsage>
  /** Events (or slices) with their own unit price that no charge takes. */
  readonly ownPrice?: GroupUsage | undefined
}

export interface PlanBillInput {
  readonly plan: PlanVersion
  readonly usage: PlanUsage
  readonly taxes?: readonly Tax[] | undefined
  /** The days the plan applied, where that is not the whole period. */
  readonly days?: ProratedDays | undefined
}

/** Rates a plan's usage to a bill: its charges in their order, then usage at its own prices on a line of its own. */
export function ratePlan({ plan, usage, taxes, days }: PlanBillInput): RatedBill {
  return rateBill({ currency: plan.currency, charges: planCharges({ plan, usage, days }), taxes })
}

/**
 * The charges of a plan with their usage. A month split between plans is rated as the charges of all its parts
 * in one bill, each part with its own usage and days.
 */
export function planCharges({ plan, usage, days }: Omit<PlanBillInput, 'taxes'>): BillCharge[] {
  const charges = plan.charges.map((charge) => ({
    id: charge.id,
    name: charge.name,
    price: charge.price,
    usage: usage.byCharge.get(charge.id) ?? { quantity: ZERO },
    days: charge.prorate === false ? undefined : days,
  }))
  if (usage.ownPrice === undefined) return charges
  const ownPrice: BillCharge = {
    id: OWN_PRICE_CHARGE_ID,
    name: 'Usage at its own prices',
    price: { model: 'dynamic' },
    usage: usage.ownPrice,
  }
  return [...charges, ownPrice]
}

/** The usage of a plan from a list of events: the reference for what SQL aggregates. */
export function planUsageOf(
  plan: PlanVersion,
  {
    meters,
    events,
    span,
  }: {
    readonly meters: readonly Meter[]
    readonly events: readonly MeterEvent[]
    readonly span: MeterSpan
  },
): PlanUsage {
  const taken = new Set<MeterEvent>()
  const byCharge = new Map<string, RatedUsage>()
  for (const charge of plan.charges) {
    const meter = meters.find((one) => one.code === charge.meter)
    if (meter === undefined) continue
    const metered = meterFor(meter, charge.price)
    const { usage, counted } = aggregate(metered, eventsFor(charge, events), { span })
    byCharge.set(charge.id, usage)
    for (const event of counted) taken.add(event)
  }
  const inSpan = (event: MeterEvent) => event.eventDate >= span.from && event.eventDate < span.to
  const rest = events.filter(
    (event) => event.unitPrice !== undefined && inSpan(event) && !taken.has(event),
  )
  if (rest.length === 0) return { byCharge }
  const quantity = rest.reduce((total, event) => total.plus(event.quantity), ZERO)
  return { byCharge, ownPrice: { quantity, events: rest } }
}

function eventsFor(charge: Charge, events: readonly MeterEvent[]): readonly MeterEvent[] {
  return readsOwnPrice(charge.price)
    ? events
    : events.filter((event) => event.unitPrice === undefined)
}
