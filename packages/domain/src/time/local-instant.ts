import { DAY_MILLIS, type ZoneOffset, zoneOffset } from './zone-offset'

/**
 * A zone's clock: the instant (microseconds since 1970) at which it shows a local time, given as if that time were
 * UTC. Null when clocks were put forward over it; the first instant when they were put back over it.
 */
export type LocalClock = (localMicros: number) => number | null

const SLOT_MICROS = 15 * 60 * 1_000_000
const SLOTS_MAX = 100_000
/** Marks a slot in which the offset changes: its times are looked up one by one. */
const MIXED = Number.NaN

/**
 * The clock of an IANA zone. Rules are Intl's; answers are kept per quarter of an hour, which no zone's clock
 * change cuts today, so that millions of dates cost a map look-up each.
 *
 * Throws DomainError `unknown_timezone`.
 */
export function localClock(zone: string): LocalClock {
  if (zone === 'UTC') return (local) => local

  const offsetAt = zoneOffset(zone)
  const slots = new Map<number, number | null>()
  return (local) => {
    const slot = Math.floor(local / SLOT_MICROS)
    let offset = slots.get(slot)
    if (offset === undefined) {
      if (slots.size >= SLOTS_MAX) slots.clear()
      offset = slotOffset(slot, offsetAt)
      slots.set(slot, offset)
    }
    if (Number.isNaN(offset)) offset = firstOffset(Math.floor(local / 1000), offsetAt)
    return offset === null ? null : local - offset * 1000
  }
}

/** The offset of every time in the slot, null when none of them exists, MIXED when they differ. */
function slotOffset(slot: number, offsetAt: ZoneOffset): number | null {
  const start = (slot * SLOT_MICROS) / 1000
  const first = firstOffset(start, offsetAt)
  return first === firstOffset(start + SLOT_MICROS / 1000 - 1, offsetAt) ? first : MIXED
}

/**
 * The offset (milliseconds) of the first instant whose local time this is; null when there is none.
 *
 * Whatever clock change is near, the offsets a day before and a day after are the only ones that can apply. The
 * larger one, if it applies, gives the earlier instant.
 */
function firstOffset(localMillis: number, offsetAt: ZoneOffset): number | null {
  const before = offsetAt(localMillis - DAY_MILLIS)
  const after = offsetAt(localMillis + DAY_MILLIS)
  for (const offset of [Math.max(before, after), Math.min(before, after)]) {
    if (offsetAt(localMillis - offset) === offset) return offset
  }
  return null
}
