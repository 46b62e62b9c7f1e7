import { instantText } from './instant-text'

test.each([
  ['2026-03-01T00:00:00Z', 0, '2026-03-01T00:00:00Z'],
  ['2026-03-01T00:01:11Z', 55_000, '2026-03-01T00:01:11.055Z'],
  ['2026-03-01T00:01:11Z', 1, '2026-03-01T00:01:11.000001Z'],
  ['1970-01-01T00:00:00Z', 100_000, '1970-01-01T00:00:00.1Z'],
])('%s and %d microseconds are written %s', (second, micros, text) => {
  expect(instantText(Date.parse(second) * 1000 + micros)).toBe(text)
})
