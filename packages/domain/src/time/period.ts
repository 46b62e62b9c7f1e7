import { DomainError } from '../errors'
import { localStart } from './local-start'
import { zoneOffset } from './zone-offset'

const PERIOD = /^\d{4}-(?:0[1-9]|1[0-2])$/

/** The instants [start, end). */
export interface Span {
  readonly start: Date
  readonly end: Date
}

/** Is this the name of a calendar month, `YYYY-MM`? */
export const isPeriod = (text: string): boolean => PERIOD.test(text)

/** Year and month (1–12) of a period. Throws DomainError `invalid_period`. */
export function parsePeriod(period: string): { readonly year: number; readonly month: number } {
  if (!isPeriod(period)) {
    throw new DomainError('invalid', 'invalid_period', `${period} is not a month. Write YYYY-MM.`, [
      { field: 'period', message: 'write YYYY-MM' },
    ])
  }
  return { year: Number(period.slice(0, 4)), month: Number(period.slice(5)) }
}

/** The calendar month (`YYYY-MM`) that the zone's clock shows at an instant. */
export function periodOf(instant: Date, zone: string): string {
  const local = new Date(instant.getTime() + zoneOffset(zone)(instant.getTime()))
  return periodText(local.getUTCFullYear(), local.getUTCMonth())
}

/**
 * The calendar month of an instant (RFC 3339, UTC) where every zone's clock shows the same one; undefined on days from which a
 * zone, none of which is a whole day from UTC, could look into another month.
 */
export function periodEverywhere(instant: string): string | undefined {
  const day = instant.slice(8, 10)
  return day > '01' && day < '28' ? instant.slice(0, 7) : undefined
}

/** When a calendar month begins in the zone, and when the next one does: [start, end). */
export function periodBounds(period: string, zone: string): Span {
  const { year, month } = parsePeriod(period)
  const offsetAt = zoneOffset(zone)
  return {
    start: new Date(localStart(utcMonth(year, month - 1), offsetAt)),
    end: new Date(localStart(utcMonth(year, month), offsetAt)),
  }
}

/** The month after: `2026-12` → `2027-01`. */
export function nextPeriod(period: string): string {
  const { year, month } = parsePeriod(period)
  return month === 12 ? periodText(year + 1, 0) : periodText(year, month)
}

/** `monthIndex` counts from 0 and may be 12. Date.UTC would read the years 0–99 as 1900–1999. */
function utcMonth(year: number, monthIndex: number): number {
  return new Date(0).setUTCFullYear(year, monthIndex, 1)
}

function periodText(year: number, monthIndex: number): string {
  return `${String(year).padStart(4, '0')}-${String(monthIndex + 1).padStart(2, '0')}`
}
