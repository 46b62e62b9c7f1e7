import { currencyExponent } from '../money'
import { type Decimal, ONE, toPlain, ZERO } from '../decimal'

/** `1 unit`, `15 units`, `0.5 units`. */
export function countText(count: Decimal, one: string): string {
  return `${groupThousands(toPlain(count))} ${count.abs().eq(ONE) ? one : `${one}s`}`
}

/** A price with at least the currency's places, more where it has more: `4.00`, `0.0025`. */
export function priceText(price: Decimal, currency: string): string {
  const [whole = '0', fraction = ''] = toPlain(price).split('.')
  const padded = fraction.padEnd(currencyExponent(currency), '0')
  return padded === '' ? groupThousands(whole) : `${groupThousands(whole)}.${padded}`
}

/** `tier 1–10`, `tier 21 and above`; where bounds or units are not whole, `tier over 2.5 up to 10`. */
export function tierText(from: Decimal, upTo: Decimal | null, units: Decimal): string {
  const whole = [from, upTo ?? ZERO, units].every((value) => !toPlain(value).includes('.'))
  if (whole) {
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
  return flatFee.eq(ZERO) ? '' : ` + ${priceText(flatFee, currency)} flat`
}

/** `region=eu, size=l`, in the order of the names given. */
export function propertiesText(
  properties: Readonly<Record<string, string>>,
  names: readonly string[],
): string {
  return names.map((name) => `${name}=${properties[name] ?? '(none)'}`).join(', ')
}

function groupThousands(number: string): string {
  if (number.length <= 3) return number
  const [whole = '0', fraction] = number.split('.')
  const grouped = whole.replace(/\B(?=(?:\d{3})+$)/g, ',')
  return fraction === undefined ? grouped : `${grouped}.${fraction}`
}
