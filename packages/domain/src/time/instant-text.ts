/**
 * An instant (whole microseconds since 1970) as RFC 3339 in UTC, with as many digits of fraction as it has:
 * `2026-03-01T00:00:00Z`, `2026-03-01T00:01:11.055Z`.
 */
export function instantText(micros: number): string {
  const seconds = Math.floor(micros / 1_000_000)
  const fraction = String(micros - seconds * 1_000_000)
    .padStart(6, '0')
    .replace(/0+$/, '')
  const whole = new Date(seconds * 1000).toISOString().slice(0, -'.000Z'.length)
  return fraction === '' ? `${whole}Z` : `${whole}.${fraction}Z`
}
