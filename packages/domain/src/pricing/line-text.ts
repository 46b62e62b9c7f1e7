import { currencyExponent, groupThousands } from '../money'
import { type Decimal, ONE, placesOf, isZero, toPlaces, toPlain } from '../decimal'

/** `1 unit`, `15 units`, `0.5 units`. */
export function countText(count: Decimal, one: string): string {
  const text = toPlain(count)
  return `${groupThousands(text)} ${text === '1' || text === '-1' ? one : `${one}s`}`
}

/** A price with at least the currency's places, more where it has more: `4.00`, `0.0025`. */
export function priceText(price: Decimal, currency: string): string {
  return groupThousands(toPlaces(price, Math.max(placesOf(price), currencyExponent(currency))))
}

/** `tier 1–10`, `tier 21 and above`; where bounds or units are not whole, `tier over 2.5 up to 10`. */
export function tierText(from: Decimal, upTo: Decimal | null, units: Decimal): string {
  if (isWhole(from) && (upTo === null || isWhole(upTo)) && isWhole(units)) {
    const first = groupThousands(toPlain(from.plus(ONE)))
    return upTo === null
      ? `tier ${first} and above`
      : `tier ${first}–${groupThousands(toPlain(upTo))}`
  }
  const over = `tier over ${groupThousands(toPlain(from))}`
  return upTo === null ? over : `${over} up to ${groupThousands(toPlain(upTo))}`
}

/** ` + 10.00 flat`, or nothing where there is no fee. */
export function flatFeeText(flatFee: Decimal, currency: string): string {
  return isZero(flatFee) ? '' : ` + ${priceText(flatFee, currency)} flat`
}

/** `region=eu, size=l`, in the order of the names given. */
export function propertiesText(
  properties: Readonly<Record<string, string>>,
  names: readonly string[],
): string {
  return names.map((name) => `${name}=${properties[name] ?? '(none)'}`).join(', ')
}

const isWhole = (value: Decimal): boolean => placesOf(value) === 0
