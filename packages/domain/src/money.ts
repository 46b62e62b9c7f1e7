import { data } from 'currency-codes'
import { type Decimal, roundHalfUp, toPlaces } from './decimal'
import { DomainError } from './errors'

const EXPONENTS: ReadonlyMap<string, number> = new Map(
  data.map(({ code, digits }) => [code, digits]),
)

/** Is this the code of a currency of ISO 4217, in capitals? */
export function isCurrency(currency: string): boolean {
  return EXPONENTS.has(currency)
}

/**
 * How many decimal places the currency has by ISO 4217: 2 for USD, 0 for JPY, 3 for KWD.
 *
 * Throws DomainError invalid `unknown_currency`.
 */
export function currencyExponent(currency: string): number {
  const exponent = EXPONENTS.get(currency)
  if (exponent === undefined) {
    throw new DomainError(
      'invalid',
      'unknown_currency',
      `${currency} is not a currency code of ISO 4217. Write it like USD.`,
    )
  }
  return exponent
}

/** Rounds to the currency's exponent, half up, ties away from zero: 0.125 USD → 0.13, -0.125 → -0.13. */
export function roundToCurrency(amount: Decimal, currency: string): Decimal {
  return roundHalfUp(amount, currencyExponent(currency))
}

/** The amount with the currency's places: `1050.00`, `-3` (JPY). Rounds like `roundToCurrency`. */
export function moneyText(amount: Decimal, currency: string): string {
  return toPlaces(amount, currencyExponent(currency))
}

/**
 * The amount as the billable file writes totals: `$1,050.00` for USD, `EUR 1,050.00` for others, the sign
 * first: `-$5.00`, `-EUR 5.00`.
 */
export function dollarText(amount: Decimal, currency: string): string {
  return dollarTextOf(moneyText(amount, currency), currency)
}

/** `dollarText` of an amount that `moneyText` has written. */
export function dollarTextOf(text: string, currency: string): string {
  const isNegative = text.startsWith('-')
  const number = groupThousands(isNegative ? text.slice(1) : text)
  return `${isNegative ? '-' : ''}${currency === 'USD' ? '$' : `${currency} `}${number}`
}

/** A plain decimal with commas between thousands: `-12345.6` → `-12,345.6`. */
export function groupThousands(number: string): string {
  const point = number.indexOf('.')
  const first = number.startsWith('-') ? 1 : 0
  let end = point < 0 ? number.length : point
  let text = number.slice(end)
  for (; end - first > 3; end -= 3) text = `,${number.slice(end - 3, end)}${text}`
  return number.slice(0, end) + text
}
