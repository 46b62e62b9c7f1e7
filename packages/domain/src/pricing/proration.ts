import { type Decimal, decimalFromInteger, divide } from '../decimal'
import { DomainError } from '../errors'

/**
 * The part of a month that something applied: local dates of the customer's zone, `[from, to)`, as
 * `YYYY-MM-DD`, within or around the period `YYYY-MM`. Days outside the period don't count.
 */
export interface Proration {
  readonly from: string
  readonly to: string
  readonly period: string
}

export interface ProratedDays {
  readonly days: number
  readonly ofDays: number
}

const MS_PER_DAY = 86_400_000
const PERIOD = /^(\d{4})-(0[1-9]|1[0-2])$/
const DATE = /^\d{4}-\d{2}-\d{2}$/

/**
 * How many days of the period are in the span. Throws DomainError invalid `invalid_proration` for dates that don't
 * exist and for a span that ends before it begins.
 */
export function proratedDays({ from, to, period }: Proration): ProratedDays {
  const match = PERIOD.exec(period)
  if (match === null) throw invalidProration('proration.period', 'Write the period like 2026-03.')
  const [year, month] = [Number(match[1]), Number(match[2])]
  const start = dayNumber(`${period}-01`, 'proration.period')
  const end = Date.UTC(year, month, 1) / MS_PER_DAY
  const first = dayNumber(from, 'proration.from')
  const last = dayNumber(to, 'proration.to')
  if (last < first) throw invalidProration('proration.to', 'The span ends before it begins.')
  return { days: Math.max(0, Math.min(last, end) - Math.max(first, start)), ofDays: end - start }
}

/** The amount for so many days of the period: exact but for the 30th place, where days don't divide it. */
export function prorate(amount: Decimal, days: ProratedDays | undefined): Decimal {
  if (days === undefined || days.days === days.ofDays) return amount
  return divide(amount.times(decimalFromInteger(days.days)), decimalFromInteger(days.ofDays))
}

/** Days since 1970 of a date of the real calendar. */
function dayNumber(date: string, field: string): number {
  const ms = DATE.test(date) ? Date.parse(`${date}T00:00:00Z`) : Number.NaN
  if (Number.isNaN(ms) || new Date(ms).toISOString().slice(0, 10) !== date) {
    throw invalidProration(field, 'Write a date of the calendar like 2026-03-15.')
  }
  return ms / MS_PER_DAY
}

function invalidProration(field: string, message: string): DomainError {
  return new DomainError('invalid', 'invalid_proration', message, [{ field, message }])
}
