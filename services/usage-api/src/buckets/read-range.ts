import {
  bucketStarts,
  type Bucket,
  DomainError,
  isFault,
  localStart,
  parseEventDate,
  zoneOffset,
} from '@billtrail/domain'

/** A given bound in microseconds since 1970, or undefined. */
export interface GivenRange {
  readonly from: number | undefined
  readonly to: number | undefined
}

/** A plus sign that was not encoded arrives as a blank: `…T00:00:00 02:00`. */
const LOST_PLUS = /^(.*\d\d:\d\d(?::\d\d(?:\.\d+)?)?) (\d\d(?::?\d\d)?)$/

/**
 * Reads the bounds of a range, as dates of usage are read; without an offset in the zone. A local time that clocks
 * were put forward over is the instant at which they were. Throws `invalid_range`.
 */
export function readRange(
  query: { start_date?: string | undefined; end_date?: string | undefined },
  zone: string,
): GivenRange {
  const offsetAt = zoneOffset(zone)
  const clock = (local: number): number => {
    const millis = Math.floor(local / 1000)
    return localStart(millis, offsetAt) * 1000 + (local - millis * 1000)
  }
  const read = (field: 'start_date' | 'end_date'): number | undefined => {
    const text = query[field]?.replace(LOST_PLUS, '$1+$2')
    if (text === undefined) return undefined
    const date = parseEventDate(text, { clock, nowMicros: 0, allowFuture: true })
    if (!isFault(date)) return date.micros
    throw invalidRange(
      field,
      'is not a date from 1970 to 2199, like 2026-03-01 or 2026-03-01T00:00:00Z',
    )
  }
  const [from, to] = [read('start_date'), read('end_date')]
  if (from !== undefined && to !== undefined && to < from) {
    throw invalidRange('end_date', 'is before start_date')
  }
  return { from, to }
}

const invalidRange = (field: string, message: string): DomainError =>
  new DomainError('invalid', 'invalid_range', `${field} ${message}.`, [{ field, message }])

/** The buckets that the range [from, to) touches; bounds in microseconds. */
export function startsOf(
  range: { from: number; to: number },
  bucket: Bucket,
  zone: string,
): Date[] {
  const start = new Date(Math.floor(range.from / 1000))
  const end = new Date(Math.ceil(range.to / 1000))
  return bucketStarts({ start, end, bucket, zone })
}

/** The instant just after the bucket that holds an instant; both in microseconds. */
export function bucketEnd(micros: number, bucket: Bucket, zone: string): number {
  const start = new Date(Math.floor(micros / 1000))
  // Months have up to 31 days, and a clock change may lengthen one; one bucket more than is needed does no harm.
  const end = new Date(start.getTime() + 33 * 86_400_000)
  return bucketStarts({ start, end, bucket, zone })[1]!.getTime() * 1000
}

/** When the bucket begins that holds an instant. */
export function bucketStart(micros: number, bucket: Bucket, zone: string): number {
  const start = new Date(Math.floor(micros / 1000))
  const end = new Date(start.getTime() + 1)
  return bucketStarts({ start, end, bucket, zone })[0]!.getTime() * 1000
}
