import { clockChange, localStart } from './local-start'
import type { Span } from './period'
import { DAY_MILLIS, zoneOffset, type ZoneOffset } from './zone-offset'

export const BUCKETS = ['hour', 'day', 'month'] as const
export type Bucket = (typeof BUCKETS)[number]

const HOUR_MILLIS = 3_600_000

/** No bucket is shorter than this on average; for limits on how many a range has. */
const NOMINAL_MILLIS = { hour: HOUR_MILLIS, day: DAY_MILLIS, month: 28 * DAY_MILLIS }

/**
 * When the buckets begin that a range [start, end) touches, in order. The first begins at or before `start`; each
 * ends where the next begins. Empty when the range is.
 *
 * An hour begins where the zone's clock shows :00 and is as long as it is: a 25-hour day has 25, and a shift by
 * half an hour makes one of 90 or 30 minutes. Days and months begin with the first instant of their date.
 */
export function bucketStarts(range: Span & { bucket: Bucket; zone: string }): Date[] {
  const [start, end] = [range.start.getTime(), range.end.getTime()]
  if (start >= end) return []
  const offsetAt = zoneOffset(range.zone)
  const starts =
    range.bucket === 'hour'
      ? hourStarts(start, end, offsetAt)
      : dateStarts(start, end, range.bucket, offsetAt)
  return starts.map((millis) => new Date(millis))
}

/** How many buckets a range has, give or take a few: cheap to ask before `bucketStarts`. */
export function roughBucketCount(range: Span & { bucket: Bucket }): number {
  const millis = range.end.getTime() - range.start.getTime()
  return Math.ceil(Math.max(0, millis) / NOMINAL_MILLIS[range.bucket])
}

/** The clock is walked from change to change; between two, hours are plain arithmetic. */
function hourStarts(start: number, end: number, offsetAt: ZoneOffset): number[] {
  const starts: number[] = []
  // A day back there has been a full hour, whatever the clock did.
  for (let from = start - DAY_MILLIS; from < end; ) {
    const offset = offsetAt(from)
    const until = offsetHoldsUntil(from, end, offsetAt)
    let hour = Math.ceil((from + offset) / HOUR_MILLIS) * HOUR_MILLIS - offset
    for (; hour < until; hour += HOUR_MILLIS) {
      if (hour <= start) starts.length = 0
      starts.push(hour)
    }
    from = until
  }
  return starts
}

/** The next instant at which the offset is another one, at most `end`. */
function offsetHoldsUntil(from: number, end: number, offsetAt: ZoneOffset): number {
  const offset = offsetAt(from)
  for (let at = from; at < end; ) {
    const next = Math.min((Math.floor(at / DAY_MILLIS) + 1) * DAY_MILLIS, end)
    if (offsetAt(next) !== offset) return Math.min(clockChange(at, next, offsetAt), end)
    at = next
  }
  return end
}

/** One start for each date of the zone's calendar; a date that was skipped has none. */
function dateStarts(
  start: number,
  end: number,
  bucket: 'day' | 'month',
  offsetAt: ZoneOffset,
): number[] {
  const starts: number[] = []
  const first = new Date(start + offsetAt(start))
  // One date early: where clocks are put back over midnight, `start` may lie in the day that its clock has left.
  for (let step = -1; ; step++) {
    const local = Date.UTC(
      first.getUTCFullYear(),
      first.getUTCMonth() + (bucket === 'month' ? step : 0),
      bucket === 'month' ? 1 : first.getUTCDate() + step,
    )
    const millis = localStart(local, offsetAt)
    if (millis >= end) return starts
    if (millis <= start) starts.length = 0
    if (millis !== starts.at(-1)) starts.push(millis)
  }
}
