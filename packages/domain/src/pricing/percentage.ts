import { type Decimal, decimalFromInteger, max, min, percent, sum, toPlain, ZERO } from '../decimal'
import type { BilledEvent } from './free-units'
import { countText, priceText } from './line-text'
import type { PercentagePrice } from './price'
import type { RatedLine } from './rated-line'

/** What one event costs, by its parts: share + fee + lift - cut. */
interface PercentageCharge {
  readonly share: Decimal
  readonly fee: Decimal
  /** What `min_per_event` added. */
  readonly lift: Decimal
  /** What `max_per_event` took off. */
  readonly cut: Decimal
}

const NOTHING: PercentageCharge = { share: ZERO, fee: ZERO, lift: ZERO, cut: ZERO }

/**
 * Percentage of one event's value: its share and the fixed fee together are held between the minimum and the
 * maximum per event. A negative value is charged as its absolute value, negated: the fee comes back too.
 */
function chargeOf(price: PercentagePrice, { units, free }: BilledEvent): PercentageCharge {
  if (free) return NOTHING
  const share = units.abs().times(percent(price.rate))
  const fee = price.fixedFee ?? ZERO
  const both = share.plus(fee)
  const lifted = max(both, price.minPerEvent ?? both)
  const held = min(lifted, price.maxPerEvent ?? lifted)
  const charge = { share, fee, lift: lifted.minus(both), cut: lifted.minus(held) }
  if (units.gte(ZERO)) return charge
  return {
    share: charge.share.neg(),
    fee: charge.fee.neg(),
    lift: charge.lift.neg(),
    cut: charge.cut.neg(),
  }
}

/** What one event costs in all. */
export function percentageOfEvent(price: PercentagePrice, billed: BilledEvent): Decimal {
  const { share, fee, lift, cut } = chargeOf(price, billed)
  return share.plus(fee).plus(lift).minus(cut)
}

/** Percentage of the summed value, with fees and limits of each event. */
export function ratePercentage(
  price: PercentagePrice,
  billed: readonly BilledEvent[],
  currency: string,
): RatedLine[] {
  const value = sum(billed.map((event) => event.units))
  const share: RatedLine = {
    kind: 'usage',
    description: `${toPlain(price.rate)}% of ${priceText(value, currency)}`,
    units: value,
    unitPrice: percent(price.rate),
    flatFee: ZERO,
    amount: value.times(percent(price.rate)),
  }
  const lines = value.eq(ZERO) ? [] : [share]
  const perEvent = [price.fixedFee, price.minPerEvent, price.maxPerEvent]
  if (perEvent.every((amount) => amount === undefined)) return lines

  const charges = billed.map((event) => chargeOf(price, event))
  return [...lines, ...feeLines(price, billed, currency), ...limitLines(price, charges, currency)]
}

function feeLines(
  price: PercentagePrice,
  billed: readonly BilledEvent[],
  currency: string,
): RatedLine[] {
  const { fixedFee = ZERO } = price
  // An event of value 0 is an event; a correction takes one away.
  const paying = billed.filter((event) => !event.free)
  const count = paying.reduce((total, { units }) => total + (units.lt(ZERO) ? -1 : 1), 0)
  if (count === 0 || fixedFee.eq(ZERO)) return []
  const events = decimalFromInteger(count)
  return [
    {
      kind: 'fee',
      description: `${countText(events, 'event')} at a fee of ${priceText(fixedFee, currency)}`,
      units: events,
      unitPrice: fixedFee,
      flatFee: ZERO,
      amount: events.times(fixedFee),
    },
  ]
}

function limitLines(
  price: PercentagePrice,
  charges: readonly PercentageCharge[],
  currency: string,
): RatedLine[] {
  const lifted = charges.filter((charge) => !charge.lift.eq(ZERO))
  const cut = charges.filter((charge) => !charge.cut.eq(ZERO))
  const line = (
    kind: 'true_up' | 'savings',
    reason: string,
    { description, amount }: { description: string; amount: Decimal },
  ): RatedLine => ({
    kind,
    description,
    units: ZERO,
    unitPrice: null,
    flatFee: ZERO,
    amount,
    reason,
  })
  return [
    ...(lifted.length === 0
      ? []
      : [
          line('true_up', 'min_per_event', {
            description: `${eventsText(lifted.length)} lifted to ${priceText(price.minPerEvent ?? ZERO, currency)} each`,
            amount: sum(lifted.map((charge) => charge.lift)),
          }),
        ]),
    ...(cut.length === 0
      ? []
      : [
          line('savings', 'max_per_event', {
            description: `${eventsText(cut.length)} capped at ${priceText(price.maxPerEvent ?? ZERO, currency)} each`,
            amount: sum(cut.map((charge) => charge.cut)).neg(),
          }),
        ]),
  ]
}

function eventsText(count: number): string {
  return countText(decimalFromInteger(count), 'event')
}
