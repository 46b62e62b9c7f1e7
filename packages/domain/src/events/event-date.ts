import type { LocalClock } from '../time/local-instant'
import { trimBlanks } from './decimal-text'
import type { FieldFault } from './reject-reason'

const MICROS_PER_SECOND = 1_000_000
const MICROS_PER_DAY = 86_400 * MICROS_PER_SECOND

/**
 * The first instant that is refused even with `allowFuture`: 2200-01-01. Until then microseconds since 1970
 * are exact in a JavaScript number.
 */
export const LATEST_MICROS = Date.UTC(2200, 0, 1) * 1000

export interface EventDateOptions {
  /** The clock of the zone that dates without an offset are read in. */
  readonly clock: LocalClock
  /** Now, in microseconds since 1970. */
  readonly nowMicros: number
  /** Take dates more than a day ahead too. */
  readonly allowFuture: boolean
}

const DATE =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d\d)(?::?(\d\d))?)?)?$/

/**
 * Reads when an event happened, as microseconds since 1970 (an exact integer).
 *
 * Takes RFC 3339, `2021-03-01 00:01:11.055+00`, `+0530` and a date alone (midnight in the zone). Fractions have
 * up to 9 digits and are cut to the microsecond. Without an offset the local time is read in the zone: one that
 * does not exist is refused, of one that exists twice the first is meant. Only days of the real calendar, hours
 * 0–23, seconds 0–59. From 1970 to one day ahead.
 */
export function parseEventDate(
  text: string,
  { clock, nowMicros, allowFuture }: EventDateOptions,
): { readonly micros: number } | FieldFault {
  const trimmed = trimBlanks(text)
  if (trimmed === '') return { reason: 'missing_event_date' }
  const parts = DATE.exec(trimmed)
  if (parts === null) return { reason: 'invalid_event_date' }

  const local = localMicros(parts)
  const offset = offsetMicros(parts)
  if (local === null || offset === null) return { reason: 'invalid_event_date' }

  const micros = offset === undefined ? clock(local) : local - offset
  if (micros === null) return { reason: 'date_without_such_local_time' }
  const latest = latestMicros({ nowMicros, allowFuture })
  return micros < 0 || micros > latest ? { reason: 'event_date_out_of_range' } : { micros }
}

/** The last instant an event may have. */
export function latestMicros(options: { nowMicros: number; allowFuture: boolean }): number {
  return options.allowFuture ? LATEST_MICROS - 1 : options.nowMicros + MICROS_PER_DAY
}

/** The written date and time as if it were UTC; null when the calendar or the clock has no such time. */
function localMicros(parts: RegExpExecArray): number | null {
  const [year, month, day] = [Number(parts[1]), Number(parts[2]), Number(parts[3])]
  const [hour, minute, second] = [
    Number(parts[4] ?? 0),
    Number(parts[5] ?? 0),
    Number(parts[6] ?? 0),
  ]
  if (hour > 23 || minute > 59 || second > 59) return null

  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null
  const seconds = date.getTime() / 1000 + hour * 3600 + minute * 60 + second
  return seconds * MICROS_PER_SECOND + Number((parts[7] ?? '').slice(0, 6).padEnd(6, '0'))
}

/** The written offset; undefined when there is none, null when it is beyond what zones have (15:59). */
function offsetMicros(parts: RegExpExecArray): number | null | undefined {
  if (parts[8] !== undefined) return 0
  if (parts[9] === undefined) return undefined
  const [hours, minutes] = [Number(parts[10]), Number(parts[11] ?? 0)]
  if (hours > 15 || minutes > 59) return null
  return (parts[9] === '-' ? -1 : 1) * (hours * 3600 + minutes * 60) * MICROS_PER_SECOND
}
