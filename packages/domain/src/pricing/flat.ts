import { ZERO, ONE } from '../decimal'
import { priceText } from './line-text'
import type { FlatPrice } from './price'
import { prorate, type ProratedDays } from './proration'
import type { RatedLine } from './rated-line'

/** Flat: the amount whatever the quantity, by days where the charge did not apply the whole period. */
export function rateFlat(
  price: FlatPrice,
  currency: string,
  days: ProratedDays | undefined,
): RatedLine[] {
  const amount = prorate(price.amount, days)
  if (amount.eq(ZERO)) return []
  const part = amount.eq(price.amount) ? '' : ` for ${days?.days ?? 0} of ${days?.ofDays ?? 0} days`
  return [
    {
      kind: 'usage',
      description: `Flat fee of ${priceText(price.amount, currency)}${part}`,
      units: ONE,
      unitPrice: amount,
      flatFee: ZERO,
      amount,
    },
  ]
}
