import { percent, toPlain, ZERO } from '../decimal'
import type { BillableUnits } from './free-units'
import { flatFeeText, priceText, tierText } from './line-text'
import type { GraduatedPercentagePrice } from './price'
import type { RatedLine } from './rated-line'
import { sliceByTiers } from './tiers'

/** Graduated percentage: each slice of the summed value at its own tier's rate, plus its flat fee once. */
export function rateGraduatedPercentage(
  price: GraduatedPercentagePrice,
  { units: value, before }: BillableUnits,
  currency: string,
): RatedLine[] {
  return sliceByTiers(price.tiers, value, before)
    .map(({ tier, from, units, flatFee }): RatedLine => {
      const { rate, upTo } = tier
      const arithmetic = `${toPlain(rate)}% of ${priceText(units, currency)}`
      return {
        kind: 'usage',
        description: `${arithmetic}${flatFeeText(flatFee, currency)} (${tierText(from, upTo, units)})`,
        units,
        unitPrice: percent(rate),
        flatFee,
        amount: units.times(percent(rate)).plus(flatFee),
        tier: { from, upTo },
      }
    })
    .filter((line) => !line.units.eq(ZERO) || !line.flatFee.eq(ZERO))
}
