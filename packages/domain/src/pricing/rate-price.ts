import { type Decimal, isNegative, max, ZERO } from '../decimal'
import { discountLines } from './discount'
import { rateEvents } from './event-price'
import { rateFlat } from './flat'
import { type BillableUnits, takeFreeUnits } from './free-units'
import { rateGraduated } from './graduated'
import { rateGraduatedPercentage } from './graduated-percentage'
import { rateMatrix } from './matrix'
import { ratePackage } from './package'
import { ratePerUnit } from './per-unit'
import type { Price } from './price'
import type { ProratedDays } from './proration'
import { negateLines, type RatedLine, sumOfLines } from './rated-line'
import type { RatedUsage } from './rated-usage'
import { spendLimit } from './spend-limits'
import { rateVolume } from './volume'

export interface RatingContext {
  /** ISO 4217. */
  readonly currency: string
  /** The days the charge applied, where that is not the whole period. */
  readonly days?: ProratedDays | undefined
}

/** What a price came to, unrounded. `amount` is the sum of the lines. */
export interface RatedPrice {
  readonly lines: readonly RatedLine[]
  readonly amount: Decimal
  /** The last of the lines, where a minimum or a maximum decided the amount. */
  readonly limit: RatedLine | null
}

/**
 * Rates usage by a price. The steps and why they stand in this order:
 *
 * 1. aggregate: prices speak of a meter's result, so usage comes here aggregated. Repeats are set aside first of all.
 * 2. free units: they are units, so they come off before anything is money, and what is left is priced as if the
 *    free ones had not happened (tiers begin after them).
 * 3. price: the model; then the cap per property, which speaks of what events cost.
 * 4. discount: a share of the price, fees included.
 * 5. minimum and maximum: promises about what is paid, so they come after all that changes what is paid.
 * 6. round and 7. tax: of the bill (see `rateBill`): a line is rounded once, and tax is on what the bill shows.
 */
export function ratePrice(price: Price, usage: RatedUsage, context: RatingContext): RatedPrice {
  const priced = rateModel(price, usage, context)
  const discounted =
    price.discountPercent === undefined
      ? priced
      : [...priced, ...discountLines(priced, price.discountPercent)]
  const spent = sumOfLines(discounted)
  const { currency, days } = context
  const limit = spendLimit(spent, price, { currency, days })
  if (limit === null) return { lines: discounted, amount: spent, limit: null }
  return { lines: [...discounted, limit.line], amount: limit.amount, limit: limit.line }
}

/** The one place that knows every model: without a case for a new one it does not compile. */
function rateModel(price: Price, usage: RatedUsage, context: RatingContext): RatedLine[] {
  const { currency } = context
  switch (price.model) {
    case 'per_unit':
      return price.dedupeBy === undefined && price.cap === undefined
        ? rateQuantity(price, usage, ({ units }) => ratePerUnit(price, units, currency))
        : rateEvents(price, usage, currency)
    case 'volume':
      return rateQuantity(price, usage, (billable) => rateVolume(price, billable, currency))
    case 'graduated':
      return rateQuantity(price, usage, (billable) => rateGraduated(price, billable, currency))
    case 'package':
      return rateQuantity(price, usage, (billable) => ratePackage(price, billable, currency))
    case 'percentage':
      return rateEvents(price, usage, currency)
    case 'graduated_percentage':
      return rateQuantity(price, usage, (billable) =>
        rateGraduatedPercentage(price, billable, currency),
      )
    case 'dynamic':
      return rateEvents(price, usage, currency)
    case 'flat':
      return rateFlat(price, currency, context.days)
    case 'matrix':
      return rateMatrix(price, usage, (cell, part) => ratePrice(cell, part, context).lines)
    default:
      return price satisfies never
  }
}

/**
 * A negative quantity is a credit: the price of the absolute quantity, negated, line by line. It carries nothing in,
 * and neither does what came before it when that was a credit.
 */
function rateQuantity(
  price: { readonly freeUnits?: Decimal | undefined },
  { quantity, carriedIn }: RatedUsage,
  rate: (billable: BillableUnits) => readonly RatedLine[],
): RatedLine[] {
  const credit = isNegative(quantity)
  const before = credit || carriedIn === undefined ? undefined : max(carriedIn, ZERO)
  const units = credit ? quantity.neg() : quantity
  const { billable, lines: freeLines } = takeFreeUnits(units, price.freeUnits, before)
  const lines = [...freeLines, ...rate(billable)]
  return credit ? negateLines(lines) : lines
}
