import { DomainError } from '../errors'

/** A zone's offset from UTC at an instant, both in milliseconds. East of Greenwich is positive. */
export type ZoneOffset = (epochMillis: number) => number

export const DAY_MILLIS = 86_400_000

const ZONES_MAX = 1_000
const DAYS_MAX = 100_000
/** Marks a day in which the offset changes: its instants are looked up one by one. */
const MIXED = Number.NaN

const zones = new Map<string, ZoneOffset>()

/**
 * The offsets of an IANA zone (`Europe/Berlin`, `UTC`). Rules are Intl's. One look-up per UTC day is kept, so that
 * walking over years of hours stays cheap. A day whose two ends have the same offset is taken to have no other:
 * no zone has ever changed its clock twice within a day.
 *
 * Throws DomainError `unknown_timezone`.
 */
export function zoneOffset(zone: string): ZoneOffset {
  let offset = zones.get(zone)
  if (offset === undefined) {
    offset = rememberDays(lookUp(zone))
    if (zones.size >= ZONES_MAX) zones.clear()
    zones.set(zone, offset)
  }
  return offset
}

function rememberDays(offsetAt: ZoneOffset): ZoneOffset {
  const days = new Map<number, number>()
  return (epochMillis) => {
    const day = Math.floor(epochMillis / DAY_MILLIS)
    let offset = days.get(day)
    if (offset === undefined) {
      const first = offsetAt(day * DAY_MILLIS)
      offset = offsetAt((day + 1) * DAY_MILLIS) === first ? first : MIXED
      if (days.size >= DAYS_MAX) days.clear()
      days.set(day, offset)
    }
    return Number.isNaN(offset) ? offsetAt(epochMillis) : offset
  }
}

/** The names of the IANA database; Intl alone would also take `+01:00`, which PostgreSQL reads with the sign turned. */
const NAME = /^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/

function lookUp(zone: string): ZoneOffset {
  if (!NAME.test(zone)) throw unknownTimezone(zone)
  const format = formatFor(zone)
  return (epochMillis) => {
    const parts: Record<string, number> = {}
    for (const { type, value } of format.formatToParts(epochMillis)) parts[type] = Number(value)
    const local = Date.UTC(
      parts['year']!,
      parts['month']! - 1,
      parts['day'],
      parts['hour'],
      parts['minute'],
      parts['second'],
    )
    return local - Math.floor(epochMillis / 1000) * 1000
  }
}

function formatFor(zone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'iso8601',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
  } catch {
    throw unknownTimezone(zone)
  }
}

export const unknownTimezone = (zone: string): DomainError =>
  new DomainError(
    'invalid',
    'unknown_timezone',
    `There is no time zone ${zone}. Use an IANA name like Europe/Berlin.`,
    [{ field: 'timezone', message: 'is not the name of a time zone' }],
  )
