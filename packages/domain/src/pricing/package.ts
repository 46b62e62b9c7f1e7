import { type Decimal, divideWithRest, ONE, ZERO } from '../decimal'
import type { BillableUnits } from './free-units'
import { countText, priceText } from './line-text'
import type { PackagePrice } from './price'
import type { RatedLine } from './rated-line'

/**
 * Package: units are sold in packages, and a begun package costs a whole one (or nothing, with `round: 'down'`).
 *
 * The line counts packages, so that its units × unit price is its amount.
 */
export function ratePackage(
  price: PackagePrice,
  { units: quantity, before = ZERO }: BillableUnits,
  currency: string,
): RatedLine[] {
  const packages = packagesFor(price, before.plus(quantity)).minus(packagesFor(price, before))
  if (packages.eq(ZERO)) return []
  const size = countText(price.packageSize, 'unit')
  return [
    {
      kind: 'usage',
      description: `${countText(packages, 'package')} of ${size} at ${priceText(price.packagePrice, currency)} (${countText(quantity, 'unit')} used)`,
      units: packages,
      unitPrice: price.packagePrice,
      flatFee: ZERO,
      amount: packages.times(price.packagePrice),
    },
  ]
}

function packagesFor({ packageSize, round }: PackagePrice, quantity: Decimal): Decimal {
  const { whole, rest } = divideWithRest(quantity, packageSize)
  return rest.gt(ZERO) && round !== 'down' ? whole.plus(ONE) : whole
}
