import { DECIMAL_DIGITS_MAX, DECIMAL_PLACES_MAX } from '@billtrail/domain'

/** Answers of writeNumeric instead of a position. */
export const NOT_A_DECIMAL = -1
export const TOO_PRECISE = -2

const digitsMax = DECIMAL_DIGITS_MAX
const placesMax = DECIMAL_PLACES_MAX

/** The most bytes that writeNumeric writes: length, header and six groups of four digits. */
export const NUMERIC_BYTES_MAX = 4 + 8 + 2 * 6

const POINT = 46
const ZERO = 48

/** Where the digits of the number being written are; one object, since numbers are written one at a time. */
const digits = {
  bytes: new Uint8Array(0) as Uint8Array,
  point: 0,
  integers: 0,
  fraction: 0,
  places: 0,
}

/**
 * Writes the plain decimal `bytes[start .. end)` (blanks trimmed by the caller) as a field of a binary COPY row: its
 * length and PostgreSQL's numeric. Answers the position after it.
 *
 * A numeric is: number of groups, weight of the first group, sign, decimal places (16 bits each), then groups of four
 * decimal digits, aligned at the point, without zero groups at either end. The number has at most 18 digits and 12
 * places; zeros that carry no value are dropped, so that equal values are equal bytes. The rules are those of the
 * domain's `parseDecimalText`.
 */
export function writeNumeric(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Buffer,
  at: number,
): number {
  const negative = bytes[start] === 45
  const first = negative || bytes[start] === 43 ? start + 1 : start
  const point = findDigits(bytes, first, end)
  if (point < 0) return NOT_A_DECIMAL
  if (significantDigits() > digitsMax || digits.places > placesMax) return TOO_PRECISE

  const integerGroups = (digits.integers + 3) >> 2
  let weight = integerGroups - 1
  let groups = 0
  let lastNonZero = 0
  for (let place = -4 * integerGroups; place < digits.places; place += 4) {
    const value = group(place)
    if (value === 0 && groups === 0) {
      weight--
      continue
    }
    writeUint16(out, at + 12 + 2 * groups, value)
    groups++
    if (value !== 0) lastNonZero = groups
  }
  writeUint16(out, at, 0)
  writeUint16(out, at + 2, 8 + 2 * lastNonZero)
  writeUint16(out, at + 4, lastNonZero)
  writeUint16(out, at + 6, lastNonZero === 0 ? 0 : weight)
  writeUint16(out, at + 8, negative && lastNonZero > 0 ? 0x4000 : 0)
  writeUint16(out, at + 10, digits.places)
  return at + 12 + 2 * lastNonZero
}

/** Finds the digits before and after the point; NOT_A_DECIMAL when there is anything else, or no digit. */
function findDigits(bytes: Uint8Array, first: number, end: number): number {
  let point = end
  for (let at = first; at < end; at++) {
    const byte = bytes[at]!
    if (byte >= ZERO && byte <= 57) continue
    if (byte !== POINT || point !== end) return NOT_A_DECIMAL
    point = at
  }
  const written = point === end ? end - first : end - first - 1
  if (written <= 0) return NOT_A_DECIMAL

  let leading = first
  while (leading < point && bytes[leading] === ZERO) leading++
  let last = end
  while (last > point + 1 && bytes[last - 1] === ZERO) last--
  digits.bytes = bytes
  digits.point = point
  digits.integers = point - leading
  digits.fraction = point + 1
  digits.places = point === end ? 0 : last - point - 1
  return point
}

function significantDigits(): number {
  const { bytes, integers, fraction, places } = digits
  if (integers > 0) return integers + places
  let zeros = 0
  while (zeros < places && bytes[fraction + zeros] === ZERO) zeros++
  return places - zeros
}

/** The four digits at places `place .. place + 3`, counted from the point: -1 is the ones, 0 the tenths. */
function group(place: number): number {
  return 1000 * digit(place) + 100 * digit(place + 1) + 10 * digit(place + 2) + digit(place + 3)
}

function digit(place: number): number {
  const { bytes, point, integers, fraction, places } = digits
  if (place < 0) return place < -integers ? 0 : bytes[point + place]! - ZERO
  return place < places ? bytes[fraction + place]! - ZERO : 0
}

function writeUint16(out: Buffer, at: number, value: number): void {
  out[at] = value >> 8
  out[at + 1] = value
}
