import type { LocalClock } from '@billtrail/domain'

const FIRST_YEAR = 1970
const YEARS = 230
const SHORTEST = 'yyyy-mm-ddThh:mm:ss'.length

/** Value of each byte as a digit; a byte that is none is worth so much that every range check fails. */
const DIGIT = new Int32Array(256).fill(1_000_000)
for (let digit = 0; digit < 10; digit++) DIGIT[48 + digit] = digit

/** Days from 1970-01-01 to the first of each year, and days of the year before each month (leap years second). */
const YEAR_START = Int32Array.from(
  { length: YEARS },
  (_, i) => Date.UTC(FIRST_YEAR + i, 0, 1) / 86_400_000,
)
const MONTH_LENGTH = Uint8Array.from([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
const MONTH_START = Int32Array.from({ length: 13 }, (_, month) =>
  MONTH_LENGTH.subarray(0, month).reduce((days, length) => days + length, 0),
)

/**
 * Reads a date and time by fixed offsets, as microseconds since 1970: `yyyy-mm-ddThh:mm:ss` with `T`, `t` or a blank,
 * up to nine digits of fraction, and `Z`, `+hh`, `+hhmm`, `+hh:mm` or nothing (local, by `clock`).
 *
 * NaN for everything else, also for what is plainly wrong: the domain's `parseEventDate` then decides, and gives the
 * reason. Where this gives a number, it is the one that `parseEventDate` gives.
 */
export function readInstant(
  bytes: Uint8Array,
  start: number,
  end: number,
  clock: LocalClock,
): number {
  const separator = bytes[start + 10]!
  if (
    end - start < SHORTEST ||
    (separator !== 84 && separator !== 32 && separator !== 116) ||
    bytes[start + 4] !== 45 ||
    bytes[start + 7] !== 45 ||
    bytes[start + 13] !== 58 ||
    bytes[start + 16] !== 58
  ) {
    return NaN
  }
  const year = 100 * twoDigits(bytes, start) + twoDigits(bytes, start + 2) - FIRST_YEAR
  const month = twoDigits(bytes, start + 5)
  const day = twoDigits(bytes, start + 8)
  const hour = twoDigits(bytes, start + 11)
  const minute = twoDigits(bytes, start + 14)
  const second = twoDigits(bytes, start + 17)
  if (year < 0 || year >= YEARS || month < 1 || month > 12 || day < 1) return NaN
  if (hour > 23 || minute > 59 || second > 59) return NaN
  const leap = isLeap(year + FIRST_YEAR)
  if (day > MONTH_LENGTH[month]! + (leap && month === 2 ? 1 : 0)) return NaN

  const days = YEAR_START[year]! + MONTH_START[month]! + (leap && month > 2 ? 1 : 0) + day - 1
  const micros = (days * 86_400 + hour * 3600 + minute * 60 + second) * 1_000_000
  return withFractionAndOffset(bytes, start + SHORTEST, end, micros, clock)
}

function withFractionAndOffset(
  bytes: Uint8Array,
  from: number,
  end: number,
  seconds: number,
  clock: LocalClock,
): number {
  let at = from
  let micros = seconds
  if (at < end && bytes[at] === 46) {
    const first = ++at
    let unit = 100_000
    while (at < end && DIGIT[bytes[at]!]! < 10) {
      micros += DIGIT[bytes[at]!]! * unit
      unit = unit === 1 ? 0 : unit / 10
      at++
    }
    if (at === first || at - first > 9) return NaN
  }
  if (at === end) return clock(micros) ?? NaN

  const sign = bytes[at]
  if (sign === 90 || sign === 122) return at + 1 === end ? micros : NaN
  if (sign !== 43 && sign !== 45) return NaN
  const offset = offsetMinutes(bytes, at + 1, end)
  return sign === 43 ? micros - offset * 60_000_000 : micros + offset * 60_000_000
}

/** `hh`, `hhmm` or `hh:mm` up to 15:59, else NaN. */
function offsetMinutes(bytes: Uint8Array, from: number, end: number): number {
  const length = end - from
  if (length !== 2 && length !== 4 && !(length === 5 && bytes[from + 2] === 58)) return NaN
  const hours = twoDigits(bytes, from)
  const minutes = length === 2 ? 0 : twoDigits(bytes, end - 2)
  return hours > 15 || minutes > 59 ? NaN : hours * 60 + minutes
}

function twoDigits(bytes: Uint8Array, at: number): number {
  return DIGIT[bytes[at]!]! * 10 + DIGIT[bytes[at + 1]!]!
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}
