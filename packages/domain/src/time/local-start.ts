import { DAY_MILLIS, type ZoneOffset } from './zone-offset'

/**
 * The first instant (milliseconds since 1970) at which the zone's clock shows this local time, given as if it
 * were UTC, or, where clocks were put forward over it, the instant at which they were: so days begin that have no
 * midnight, and a skipped day begins with the next one.
 *
 * Whatever clock change is near, the offsets a day before and a day after are the only ones that can apply; the
 * larger one, if it applies, gives the earlier instant.
 */
export function localStart(localMillis: number, offsetAt: ZoneOffset): number {
  const before = offsetAt(localMillis - DAY_MILLIS)
  const after = offsetAt(localMillis + DAY_MILLIS)
  for (const offset of [Math.max(before, after), Math.min(before, after)]) {
    if (offsetAt(localMillis - offset) === offset) return localMillis - offset
  }
  return clockChange(localMillis - after, localMillis - before, offsetAt)
}

/** The instant in (start, end] from which on the offset is that of `end`. Clocks change on whole seconds. */
export function clockChange(start: number, end: number, offsetAt: ZoneOffset): number {
  const wanted = offsetAt(end)
  let old = Math.floor(start / 1000)
  let changed = Math.ceil(end / 1000)
  while (changed - old > 1) {
    const middle = Math.floor((old + changed) / 2)
    if (offsetAt(middle * 1000) === wanted) changed = middle
    else old = middle
  }
  return changed * 1000
}
