import { isZero } from '../decimal'
import type { BillableUnits } from './free-units'
import { countText, flatFeeText, priceText, tierText } from './line-text'
import type { GraduatedPrice } from './price'
import { amountAt, type RatedLine } from './rated-line'
import { sliceByTiers } from './tiers'

/** Graduated: each unit costs what its own tier says, and each tier entered its flat fee once. */
export function rateGraduated(
  price: GraduatedPrice,
  { units: quantity, before }: BillableUnits,
  currency: string,
): RatedLine[] {
  return sliceByTiers(price.tiers, quantity, before)
    .map(({ tier, from, units, flatFee }): RatedLine => {
      const { unitPrice, upTo } = tier
      const arithmetic = `${countText(units, 'unit')} at ${priceText(unitPrice, currency)}`
      return {
        kind: 'usage',
        description: `${arithmetic}${flatFeeText(flatFee, currency)} (${tierText(from, upTo, units)})`,
        units,
        unitPrice,
        flatFee,
        amount: amountAt(unitPrice, { units, flatFee }),
        tier: { from, upTo },
      }
    })
    .filter((line) => !isZero(line.units) || !isZero(line.flatFee))
}
