import fc from 'fast-check'
import { type Decimal, decimal } from '../decimal'

/** Any decimal with so many digits before the point and places after it, of either sign. */
export function decimalOf({ whole, places }: { whole: number; places: number }) {
  return fc
    .tuple(
      fc.boolean(),
      fc.bigInt({ min: 0n, max: 10n ** BigInt(whole) - 1n }),
      fc.bigInt({ min: 0n, max: 10n ** BigInt(places) - 1n }),
    )
    .map(([negative, integer, fraction]): Decimal => {
      const tail = places === 0 ? '' : `.${fraction.toString().padStart(places, '0')}`
      return decimal(`${negative ? '-' : ''}${integer.toString()}${tail}`)
    })
}
