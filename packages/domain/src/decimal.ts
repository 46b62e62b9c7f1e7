import Big from 'big.js'

/**
 * An exact decimal number: the only thing money and quantities are calculated with.
 *
 * Sums, differences and products of big.js are exact whatever their size. Strict mode refuses binary
 * floats, so `decimal(0.1)` cannot be written by mistake. The constructor is our own copy, so that no
 * other user of big.js can change its settings.
 */
export type Decimal = Big

const Exact = Big()
Exact.strict = true
Exact.PE = 1_000_000
Exact.NE = -1_000_000

/** Half up, ties away from zero; big.js counts its modes from 0. */
const ROUND_HALF_UP = 1

// Division has settings of its own, so that no other calculation can ever be cut short by them.
const Division = Big()
Division.strict = true
Division.PE = 1_000_000
Division.NE = -1_000_000
Division.DP = 30
Division.RM = ROUND_HALF_UP

const PLAIN_DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/

/** Reads a plain decimal: sign, digits, point. Throws a RangeError for anything else (exponents too). */
export function decimal(text: string): Decimal {
  if (!PLAIN_DECIMAL.test(text)) throw new RangeError(`Not a plain decimal: ${text}`)
  // big.js takes neither a plus sign nor a bare point at the end.
  const from = text.startsWith('+') ? 1 : 0
  return new Exact(text.endsWith('.') ? text.slice(from, -1) : text.slice(from))
}

/** A count of things (events, days, packages) as a Decimal. Throws a RangeError when it isn't a safe integer. */
export function decimalFromInteger(count: number): Decimal {
  if (!Number.isSafeInteger(count)) throw new RangeError(`Not an integer: ${count}`)
  return new Exact(String(count))
}

export const ZERO: Decimal = decimal('0')
export const ONE: Decimal = decimal('1')

const PERCENT: Decimal = decimal('0.01')

export function sum(values: Iterable<Decimal>): Decimal {
  let total: Decimal | undefined
  for (const value of values) total = total?.plus(value) ?? value
  return total ?? ZERO
}

// What is asked of most numbers is read from their digits (`c`, without zeros at either end; the first stands at 10^e): the
// comparisons of big.js copy a number first.

export const isZero = (value: Decimal): boolean => value.c[0] === 0

export const isNegative = (value: Decimal): boolean => value.s < 0 && !isZero(value)

/** Digits after the point. */
export const placesOf = (value: Decimal): number => Math.max(value.c.length - 1 - value.e, 0)

/** Below 0 when a < b, above when a > b, 0 when they are equal. */
export function compare(a: Decimal, b: Decimal): number {
  if (isZero(a) || isZero(b) || a.s !== b.s) return signOf(a) - signOf(b)
  if (a.e !== b.e) return a.e > b.e ? a.s : -a.s
  const digits = Math.max(a.c.length, b.c.length)
  for (let at = 0; at < digits; at++) {
    const more = (a.c[at] ?? 0) - (b.c[at] ?? 0)
    if (more !== 0) return more > 0 ? a.s : -a.s
  }
  return 0
}

const signOf = (value: Decimal): number => (isZero(value) ? 0 : value.s)

export function min(a: Decimal, b: Decimal): Decimal {
  return compare(b, a) < 0 ? b : a
}

export function max(a: Decimal, b: Decimal): Decimal {
  return compare(b, a) > 0 ? b : a
}

/** `rate` percent as a factor: 2.9 → 0.029. Exact. */
export function percent(rate: Decimal): Decimal {
  return rate.times(PERCENT)
}

/**
 * a ÷ b to 30 places, half up. The only calculation that can be inexact: use it for shares of days and of
 * inclusive taxes, multiply first, and let a bill line round the result.
 */
export function divide(a: Decimal, b: Decimal): Decimal {
  return decimal(new Division(a.toFixed()).div(b.toFixed()).toFixed())
}

/** How often b fits wholly into a, both not negative, and what is left. Exact; b must not be 0. */
export function divideWithRest(a: Decimal, b: Decimal): { whole: Decimal; rest: Decimal } {
  const rest = a.mod(b)
  return { whole: a.minus(rest).div(b), rest }
}

/** Rounds half up, ties away from zero. */
export function roundHalfUp(value: Decimal, places: number): Decimal {
  return placesOf(value) <= places ? value : value.round(places, ROUND_HALF_UP)
}

/** So many digits a binary number holds exactly. */
const EXACT_DIGITS = 15

/** Text with so many places, of which the value needs no more. As big.js writes it, which joins a list of digits. */
function plainText(value: Decimal, places: number): string {
  const last = value.e + places
  if (last >= EXACT_DIGITS) return value.toFixed(places)
  let scaled = 0
  for (let at = 0; at <= last; at++) scaled = scaled * 10 + (value.c[at] ?? 0)
  const digits = places === 0 ? String(scaled) : String(scaled).padStart(places + 1, '0')
  const point = digits.length - places
  const text = places === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`
  return isNegative(value) ? `-${text}` : text
}

/** Plain text: no exponent, no trailing zeros, no negative zero. */
export const toPlain = (value: Decimal): string => plainText(value, placesOf(value))

/** Text with exactly so many places, rounded half up to them; no negative zero. */
export const toPlaces = (value: Decimal, places: number): string =>
  plainText(roundHalfUp(value, places), places)
