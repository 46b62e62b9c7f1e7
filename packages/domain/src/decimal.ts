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
  return new Exact(text.replace(/^\+/, '').replace(/\.$/, ''))
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

/** As `eq(ZERO)`, which makes a copy first. */
const isZero = (value: Decimal): boolean => value.c[0] === 0

export function min(a: Decimal, b: Decimal): Decimal {
  return b.lt(a) ? b : a
}

export function max(a: Decimal, b: Decimal): Decimal {
  return b.gt(a) ? b : a
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
  return value.round(places, ROUND_HALF_UP)
}

/** Plain text: no exponent, no trailing zeros, no negative zero. */
export function toPlain(value: Decimal): string {
  return isZero(value) ? '0' : value.toFixed()
}

/** Text with exactly so many places, rounded half up to them; no negative zero. */
export function toPlaces(value: Decimal, places: number): string {
  const rounded = roundHalfUp(value, places)
  return (isZero(rounded) ? ZERO : rounded).toFixed(places)
}
