import { localClock } from './local-instant'

const micros = (text: string): number => Date.parse(`${text}Z`) * 1000
const shown = (zone: string, text: string): string | null => {
  const instant = localClock(zone)(micros(text))
  return instant === null ? null : new Date(instant / 1000).toISOString()
}

test.each([
  ['a plain winter time', 'Europe/Berlin', '2026-01-15T12:00:00', '2026-01-15T11:00:00.000Z'],
  ['a plain summer time', 'Europe/Berlin', '2026-07-15T12:00:00', '2026-07-15T10:00:00.000Z'],
  [
    'the last second before clocks go forward',
    'Europe/Berlin',
    '2026-03-29T01:59:59',
    '2026-03-29T00:59:59.000Z',
  ],
  ['the first second skipped', 'Europe/Berlin', '2026-03-29T02:00:00', null],
  ['the last second skipped', 'Europe/Berlin', '2026-03-29T02:59:59', null],
  ['the first second after', 'Europe/Berlin', '2026-03-29T03:00:00', '2026-03-29T01:00:00.000Z'],
  [
    'a time that exists twice is the first',
    'Europe/Berlin',
    '2026-10-25T02:30:00',
    '2026-10-25T00:30:00.000Z',
  ],
  ['half an hour forward', 'Australia/Lord_Howe', '2026-10-04T02:15:00', null],
  [
    'half an hour back, the first',
    'Australia/Lord_Howe',
    '2026-04-05T01:45:00',
    '2026-04-04T14:45:00.000Z',
  ],
  ['a midnight that does not exist', 'America/Sao_Paulo', '2018-11-04T00:00:00', null],
  ['a day that does not exist', 'Pacific/Apia', '2011-12-30T12:00:00', null],
  ['an offset with minutes', 'Asia/Kathmandu', '2026-05-01T00:00:00', '2026-04-30T18:15:00.000Z'],
  ['UTC', 'UTC', '2026-03-29T02:30:00', '2026-03-29T02:30:00.000Z'],
])('%s', (_, zone, local, instant) => {
  expect(shown(zone, local)).toBe(instant)
})

test('a zone that does not exist is named', () => {
  expect(() => localClock('Mars/Olympus')).toThrow(
    expect.objectContaining({ code: 'unknown_timezone' }) as Error,
  )
})
