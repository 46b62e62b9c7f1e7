/**
 * An instant (whole microseconds since 1970) as RFC 3339 in UTC, with as many digits of fraction as it has:
 * `2026-03-01T00:00:00Z`, `2026-03-01T00:01:11.055Z`.
 */
export function instantText(micros: number): string {
  const millis = Math.floor(micros / 1000)
  const text = new Date(millis).toISOString()
  const finer = micros - millis * 1000
  if (finer === 0 && !text.endsWith('0Z')) return text
  const whole = text.slice(0, -'.000Z'.length)
  const digits = `${text.slice(-'000Z'.length, -1)}${String(finer).padStart(3, '0')}`
  const fraction = digits.replace(/0+$/, '')
  return fraction === '' ? `${whole}Z` : `${whole}.${fraction}Z`
}
