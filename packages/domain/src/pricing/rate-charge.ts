import type { Decimal } from '../decimal'
import { roundToCurrency } from '../money'
import { propertiesText } from './line-text'
import type { Price } from './price'
import type { ProratedDays } from './proration'
import type { RatedLine } from './rated-line'
import type { GroupUsage, RatedUsage } from './rated-usage'
import { ratePrice } from './rate-price'

/** A charge with its usage in the period: what a bill is rated from. */
export interface BillCharge {
  readonly id: string
  /** As it stands on the invoice. */
  readonly name: string
  readonly price: Price
  readonly usage: RatedUsage
  /** The days the charge applied, where that is not the whole period. */
  readonly days?: ProratedDays | undefined
}

/**
 * A line of a bill. `amount` is rounded to the currency, once; everything above it is a sum of such amounts.
 *
 * A minimum or a maximum makes a second line of the same charge: the rounded bound less the rounded rest, so
 * that the lines of the charge sum to exactly the bound.
 */
export interface BillLine {
  readonly chargeId: string
  readonly kind: 'charge' | 'true_up' | 'savings'
  readonly description: string
  /** The meter's result; of true-up and savings lines 0. */
  readonly quantity: Decimal
  readonly unroundedAmount: Decimal
  readonly amount: Decimal
  /** The arithmetic; their amounts sum to `unroundedAmount`. */
  readonly subLines: readonly RatedLine[]
  /** The values of the meter's group-by properties this line is for. */
  readonly groupProperties?: Readonly<Record<string, string>>
}

/**
 * The bill lines of one charge: one for each group of the usage, or one; and one for each minimum or maximum reached.
 * A matrix spends the groups on its cells and has one line. Modifiers count for each group by itself.
 */
export function rateCharge(charge: BillCharge, currency: string): BillLine[] {
  const { usage } = charge
  if (usage.groups === undefined || charge.price.model === 'matrix') {
    return linesOf(charge, { name: charge.name, usage }, currency)
  }
  return usage.groups.flatMap(({ properties, usage: part }) => {
    const name = `${charge.name} (${propertiesText(properties, Object.keys(properties).sort())})`
    const lines = linesOf(charge, { name, usage: part }, currency)
    return lines.map((line) => ({ ...line, groupProperties: properties }))
  })
}

function linesOf(
  charge: BillCharge,
  { name, usage }: { readonly name: string; readonly usage: RatedUsage | GroupUsage },
  currency: string,
): BillLine[] {
  const { lines, amount, limit } = ratePrice(charge.price, usage, { currency, days: charge.days })
  const rest = limit === null ? amount : amount.minus(limit.amount)
  const line: BillLine = {
    chargeId: charge.id,
    kind: 'charge',
    description: name,
    quantity: usage.quantity,
    unroundedAmount: rest,
    amount: roundToCurrency(rest, currency),
    subLines: limit === null ? lines : lines.slice(0, -1),
  }
  if (limit === null) return [line]
  const bound: BillLine = {
    chargeId: charge.id,
    kind: limit.kind === 'true_up' ? 'true_up' : 'savings',
    description: `${name}: ${limit.description}`,
    quantity: limit.units,
    unroundedAmount: limit.amount,
    amount: roundToCurrency(amount, currency).minus(line.amount),
    subLines: [limit],
  }
  return [line, bound]
}
