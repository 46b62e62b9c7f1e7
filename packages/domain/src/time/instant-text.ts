// Instants come in runs, and to write one takes longer than all else that is done with it.
let lastSecond = 0
let lastText = '1970-01-01T00:00:00'

/**
 * An instant (whole microseconds since 1970) as RFC 3339 in UTC, with as many digits of fraction as it has:
 * `2026-03-01T00:00:00Z`, `2026-03-01T00:01:11.055Z`.
 */
export function instantText(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000)
  if (seconds !== lastSecond) {
    lastText = new Date(seconds * 1000).toISOString().slice(0, -'.000Z'.length)
    lastSecond = seconds
  }
  const fraction = micros - seconds * 1_000_000
  if (fraction === 0) return `${lastText}Z`
  return `${lastText}.${String(fraction).padStart(6, '0').replace(/0+$/, '')}Z`
}
