import { isZero } from '../decimal'
import type { BillableUnits } from './free-units'
import { countText, flatFeeText, priceText, tierText } from './line-text'
import type { VolumePrice } from './price'
import { amountAt, type RatedLine } from './rated-line'
import { tierOf } from './tiers'

/**
 * Volume: the tier that holds the quantity prices every unit of it, from the first.
 *
 * The amount may fall at a bound (10 units at 5.00 cost 50.00, 11 at 4.00 cost 44.00): that is the model.
 */
export function rateVolume(
  price: VolumePrice,
  { units: quantity, before }: BillableUnits,
  currency: string,
): RatedLine[] {
  const { tier, from, flatFee } = tierOf(price.tiers, quantity, before)
  const { unitPrice, upTo } = tier
  if (isZero(quantity) && isZero(flatFee)) return []
  const arithmetic = `${countText(quantity, 'unit')} at ${priceText(unitPrice, currency)}`
  return [
    {
      kind: 'usage',
      description: `${arithmetic}${flatFeeText(flatFee, currency)} (${tierText(from, upTo, quantity)}: every unit at the tier's price)`,
      units: quantity,
      unitPrice,
      flatFee,
      amount: amountAt(unitPrice, { units: quantity, flatFee }),
      tier: { from, upTo },
    },
  ]
}
