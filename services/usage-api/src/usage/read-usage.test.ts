import { needsZone } from './read-usage'

test.each([
  ['2026-03-01', true],
  ['2026-03-01 10:00:00', true],
  ['2026-03-01T10:00:00.5', true],
  ['2026-03-01T10:00:00Z', false],
  ['2026-03-01 10:00:00.123+00', false],
  ['2026-03-01T10:00:00-0530', false],
  [undefined, false],
  [null, false],
])('%s needs a zone to be read in: %s', (date, needed) => {
  expect(needsZone(date)).toBe(needed)
})
