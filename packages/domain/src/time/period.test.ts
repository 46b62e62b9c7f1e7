import fc from 'fast-check'
import { isPeriod, nextPeriod, periodBounds, periodEverywhere, periodOf } from './period'

const bounds = (period: string, zone: string): string[] => {
  const { start, end } = periodBounds(period, zone)
  return [start, end].map((date) => date.toISOString().replace('.000Z', 'Z'))
}

test.each([
  ['2026-02', 'UTC', '2026-02-01T00:00:00Z', '2026-03-01T00:00:00Z'],
  ['2024-02', 'UTC', '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z'],
  ['2026-12', 'UTC', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ['2026-03', 'Europe/Berlin', '2026-02-28T23:00:00Z', '2026-03-31T22:00:00Z'],
  ['2026-11', 'America/New_York', '2026-11-01T04:00:00Z', '2026-12-01T05:00:00Z'],
  ['2026-01', 'Asia/Kolkata', '2025-12-31T18:30:00Z', '2026-01-31T18:30:00Z'],
  ['2011-12', 'Pacific/Apia', '2011-12-01T10:00:00Z', '2011-12-31T10:00:00Z'],
])('%s in %s is [%s, %s)', (period, zone, start, end) => {
  expect(bounds(period, zone)).toEqual([start, end])
})

test('the last instant of a month belongs to it and the next one does not', () => {
  expect(periodOf(new Date('2026-01-31T23:59:59.999Z'), 'UTC')).toBe('2026-01')
  expect(periodOf(new Date('2026-02-01T00:00:00.000Z'), 'UTC')).toBe('2026-02')
  expect(periodOf(new Date('2026-01-31T23:00:00.000Z'), 'Europe/Berlin')).toBe('2026-02')
})

test('the month that an instant has everywhere is the one it has in each zone', () => {
  const zones = ['UTC', 'Pacific/Kiritimati', 'Pacific/Apia', 'Pacific/Pago_Pago', 'America/Juneau']
  const millis = fc.integer({ min: 0, max: Date.UTC(2199, 11, 31) })
  fc.assert(
    fc.property(millis, fc.constantFrom(...zones), (at, zone) => {
      const everywhere = periodEverywhere(new Date(at).toISOString())
      fc.pre(everywhere !== undefined)
      expect(periodOf(new Date(at), zone)).toBe(everywhere)
    }),
  )
})

test.each([
  ['2026-02-01T23:59:59Z', undefined],
  ['2026-02-02T00:00:00Z', '2026-02'],
  ['2026-02-27T23:59:59.999999Z', '2026-02'],
  ['2026-02-28T00:00:00Z', undefined],
])('the month of %s everywhere is %s', (instant, period) => {
  expect(periodEverywhere(instant)).toBe(period)
})

test('after 31 January comes February, then March, and after December the next year', () => {
  const january = periodOf(new Date('2026-01-31T12:00:00Z'), 'UTC')
  expect(nextPeriod(january)).toBe('2026-02')
  expect(nextPeriod(nextPeriod(january))).toBe('2026-03')
  expect(bounds('2026-03', 'UTC')[0]).toBe('2026-03-01T00:00:00Z')
  expect(nextPeriod('2026-12')).toBe('2027-01')
})

test.each(['2026-13', '2026-00', '2026-1', '26-01', '2026-01-01', '', 'now'])(
  '%j is not a month',
  (text) => {
    expect(isPeriod(text)).toBe(false)
    expect(() => periodBounds(text, 'UTC')).toThrow(
      expect.objectContaining({ code: 'invalid_period' }) as Error,
    )
  },
)

test.each(['Mars/Olympus', '+01:00', '', 'Europe/Berlin; drop', 'utc+1'])(
  '%j is not a time zone',
  (zone) => {
    expect(() => periodBounds('2026-01', zone)).toThrow(
      expect.objectContaining({ code: 'unknown_timezone' }) as Error,
    )
  },
)

test('every instant lies in the bounds of its period, and periods leave no gap', () => {
  const zone = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/New_York',
    'Australia/Lord_Howe',
    'Asia/Kolkata',
  )
  fc.assert(
    fc.property(zone, fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) }), (name, millis) => {
      const period = periodOf(new Date(millis), name)
      const { start, end } = periodBounds(period, name)
      expect(start.getTime()).toBeLessThanOrEqual(millis)
      expect(end.getTime()).toBeGreaterThan(millis)
      expect(periodBounds(nextPeriod(period), name).start).toEqual(end)
    }),
  )
})
