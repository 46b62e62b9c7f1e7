import { type Decimal, isZero, ZERO } from '../decimal'
import { countText, priceText } from './line-text'
import type { PerUnitPrice } from './price'
import type { RatedLine } from './rated-line'

/** Per unit: every unit costs the same. The quantity may be negative. */
export function ratePerUnit(price: PerUnitPrice, quantity: Decimal, currency: string): RatedLine[] {
  if (isZero(quantity)) return []
  return [
    {
      kind: 'usage',
      description: `${countText(quantity, 'unit')} at ${priceText(price.unitPrice, currency)}`,
      units: quantity,
      unitPrice: price.unitPrice,
      flatFee: ZERO,
      amount: quantity.times(price.unitPrice),
    },
  ]
}
