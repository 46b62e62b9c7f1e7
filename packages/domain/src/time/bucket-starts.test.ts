import fc from 'fast-check'
import { BUCKETS, bucketStarts, roughBucketCount, type Bucket } from './bucket-starts'
import { zoneOffset } from './zone-offset'

const starts = (bucket: Bucket, zone: string, start: string, end: string): string[] =>
  bucketStarts({ bucket, zone, start: new Date(start), end: new Date(end) }).map((date) =>
    date.toISOString().replace('.000Z', 'Z'),
  )

const minutesBetween = (texts: readonly string[]): number[] =>
  texts.slice(1).map((text, at) => (Date.parse(text) - Date.parse(texts[at]!)) / 60_000)

test('hours are aligned to the clock and the range is half-open', () => {
  expect(starts('hour', 'UTC', '2021-03-01T03:00:00Z', '2021-03-01T06:00:00Z')).toEqual([
    '2021-03-01T03:00:00Z',
    '2021-03-01T04:00:00Z',
    '2021-03-01T05:00:00Z',
  ])
})

test('a range that begins or ends within a bucket touches that bucket', () => {
  expect(starts('hour', 'UTC', '2021-03-01T03:30:00Z', '2021-03-01T04:00:00.001Z')).toEqual([
    '2021-03-01T03:00:00Z',
    '2021-03-01T04:00:00Z',
  ])
  expect(starts('month', 'UTC', '2026-01-31T00:00:00Z', '2026-03-01T00:00:00Z')).toEqual([
    '2026-01-01T00:00:00Z',
    '2026-02-01T00:00:00Z',
  ])
})

test('an empty range has no buckets', () => {
  expect(starts('day', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z')).toEqual([])
  expect(starts('day', 'UTC', '2026-01-02T00:00:00Z', '2026-01-01T00:00:00Z')).toEqual([])
})

test.each([
  ['Europe/Berlin', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z', 25],
  ['Europe/Berlin', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z', 23],
  ['America/New_York', '2026-11-01T04:00:00Z', '2026-11-02T05:00:00Z', 25],
  ['America/New_York', '2026-03-08T05:00:00Z', '2026-03-09T04:00:00Z', 23],
])('in %s the day from %s to %s has as many hours as passed', (zone, start, end, hours) => {
  expect(starts('day', zone, start, end)).toEqual([start])
  const found = starts('hour', zone, start, end)
  expect(found).toHaveLength(hours)
  expect(new Set(minutesBetween([...found, end]))).toEqual(new Set([60]))
})

test('a shift by half an hour makes an hour of 90 minutes: the clock shows :00 only then', () => {
  // 2026-04-05 02:00 +11:00 → 01:30 +10:30, and 2026-10-04 02:00 +10:30 → 02:30 +11:00
  const autumn = starts(
    'hour',
    'Australia/Lord_Howe',
    '2026-04-04T13:00:00Z',
    '2026-04-04T17:30:00Z',
  )
  expect(autumn).toEqual([
    '2026-04-04T13:00:00Z',
    '2026-04-04T14:00:00Z',
    '2026-04-04T15:30:00Z',
    '2026-04-04T16:30:00Z',
  ])
  const spring = starts(
    'hour',
    'Australia/Lord_Howe',
    '2026-10-03T13:30:00Z',
    '2026-10-03T18:00:00Z',
  )
  expect(spring).toEqual([
    '2026-10-03T13:30:00Z',
    '2026-10-03T14:30:00Z',
    '2026-10-03T16:00:00Z',
    '2026-10-03T17:00:00Z',
  ])
})

test('a clock put forward from half past to the full hour makes an hour of 30 minutes', () => {
  // Caracas, 2016-05-01 02:30 -04:30 → 03:00 -04:00
  const found = starts('hour', 'America/Caracas', '2016-05-01T05:30:00Z', '2016-05-01T08:00:00Z')
  expect(minutesBetween(found)).toEqual([60, 30])
})

test('zones half an hour or a quarter off begin their hours there', () => {
  expect(starts('hour', 'Asia/Kolkata', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00Z')).toEqual([
    '2025-12-31T23:30:00Z',
    '2026-01-01T00:30:00Z',
  ])
  expect(starts('hour', 'Asia/Kathmandu', '2026-01-01T00:15:00Z', '2026-01-01T01:15:00Z')).toEqual([
    '2026-01-01T00:15:00Z',
  ])
})

test('a day that the calendar skipped has no bucket', () => {
  // Samoa went from 29 to 31 December 2011.
  expect(starts('day', 'Pacific/Apia', '2011-12-29T10:00:00Z', '2012-01-01T10:00:00Z')).toEqual([
    '2011-12-29T10:00:00Z',
    '2011-12-30T10:00:00Z',
    '2011-12-31T10:00:00Z',
  ])
  expect(
    starts('hour', 'Pacific/Apia', '2011-12-30T08:00:00Z', '2011-12-30T12:00:00Z'),
  ).toHaveLength(4)
})

test('a day without a midnight begins when its clock starts', () => {
  // São Paulo, 2018-11-04: the clock goes from 00:00 to 01:00.
  expect(
    starts('day', 'America/Sao_Paulo', '2018-11-03T03:00:00Z', '2018-11-05T02:00:00Z'),
  ).toEqual(['2018-11-03T03:00:00Z', '2018-11-04T03:00:00Z'])
})

const zone = fc.constantFrom(
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/St_Johns',
  'America/Sao_Paulo',
  'America/Caracas',
  'Australia/Lord_Howe',
  'Asia/Kolkata',
  'Pacific/Apia',
  'Africa/Casablanca',
  'Africa/Monrovia',
)
const range = fc
  .tuple(
    fc.integer({ min: 0, max: Date.UTC(2040, 0, 1) }),
    fc.integer({ min: 1, max: 40 * 86_400_000 }),
  )
  .map(([start, length]) => ({ start: new Date(start), end: new Date(start + length) }))

test('buckets partition the range: the first holds its start, and each ends where the next begins', () => {
  fc.assert(
    fc.property(zone, fc.constantFrom(...BUCKETS), range, (name, bucket, { start, end }) => {
      const found = bucketStarts({ bucket, zone: name, start, end }).map((date) => date.getTime())
      expect(found[0]!).toBeLessThanOrEqual(start.getTime())
      expect(found[1] ?? Infinity).toBeGreaterThan(start.getTime())
      expect(found.at(-1)!).toBeLessThan(end.getTime())
      expect(found).toEqual([...new Set(found)].sort((a, b) => a - b))
    }),
  )
})

test('the part of a range has the buckets that the whole has there', () => {
  fc.assert(
    fc.property(zone, fc.constantFrom(...BUCKETS), range, fc.nat(), (name, bucket, whole, cut) => {
      const length = whole.end.getTime() - whole.start.getTime()
      const middle = new Date(whole.start.getTime() + (cut % length))
      const texts = (span: { start: Date; end: Date }) =>
        bucketStarts({ bucket, zone: name, ...span }).map((date) => date.toISOString())
      const left = texts({ start: whole.start, end: middle })
      const right = texts({ start: middle, end: whole.end })
      expect([...new Set([...left, ...right])]).toEqual(texts(whole))
    }),
  )
})

test('every hour begins where the clock shows :00, and none is left out', () => {
  fc.assert(
    fc.property(zone, range, (name, { start, end }) => {
      const found = bucketStarts({ bucket: 'hour', zone: name, start, end }).map(Number)
      const minuteOf = (at: number) => ((at + zoneOffset(name)(at)) / 60_000) % 60
      expect(found.filter((at) => minuteOf(at) !== 0)).toEqual([])
      // Between two starts the clock never shows :00 again.
      for (const [at, next] of found
        .slice(0, 30)
        .map((value, i) => [value, found[i + 1]] as const)) {
        if (next === undefined) break
        const full = []
        for (let second = at + 30_000; second < next; second += 30_000) {
          if (minuteOf(second) === 0) full.push(second)
        }
        expect(full).toEqual([])
      }
    }),
    { numRuns: 40 },
  )
})

test('the rough count is close enough to refuse a range before it is cut up', () => {
  const whole = { start: new Date('2020-01-01T00:00:00Z'), end: new Date('2024-01-01T00:00:00Z') }
  expect(roughBucketCount({ ...whole, bucket: 'hour' })).toBe(1461 * 24)
  expect(roughBucketCount({ ...whole, bucket: 'month' })).toBeGreaterThanOrEqual(48)
  expect(roughBucketCount({ start: whole.end, end: whole.start, bucket: 'day' })).toBe(0)
})
