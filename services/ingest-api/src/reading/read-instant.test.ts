import { isFault, localClock, parseEventDate } from '@billtrail/domain'
import fc from 'fast-check'
import { readInstant } from './read-instant'

const two = (min: number, max: number): fc.Arbitrary<string> =>
  fc.integer({ min, max }).map((n) => String(n).padStart(2, '0'))
const written = fc
  .tuple(
    fc.integer({ min: 1968, max: 2202 }).map(String),
    two(0, 13),
    two(0, 32),
    fc.constantFrom('T', 't', ' ', '_'),
    two(0, 24),
    two(0, 60),
    two(0, 60),
    fc.oneof(fc.constant(''), fc.stringMatching(/^\.\d{0,10}$/)),
    fc.constantFrom(
      '',
      'Z',
      'z',
      '+00',
      '-0530',
      '+05:30',
      '+1600',
      '+5',
      '+01:60',
      ' Z',
      '+24',
      'ZZ',
    ),
  )
  .map(
    ([y, m, d, t, h, min, s, fraction, offset]) =>
      `${y}-${m}-${d}${t}${h}:${min}:${s}${fraction}${offset}`,
  )
const nearly = fc
  .tuple(written, fc.nat(40), fc.constantFrom('x', '-', '0', ''))
  .map(([text, at, put]) => {
    return text.slice(0, at) + put + text.slice(at + 1)
  })

test.each(['UTC', 'Europe/Berlin', 'America/Sao_Paulo'])(
  'a date read by its bytes is the one the rule gives, in %s',
  (zone) => {
    const clock = localClock(zone)
    const options = { clock, nowMicros: 0, allowFuture: true }
    fc.assert(
      fc.property(fc.oneof(written, nearly), (text) => {
        const bytes = Buffer.from(`#${text}#`)
        const fast = readInstant(bytes, 1, bytes.length - 1, clock)
        const rule = parseEventDate(text, options)
        if (isFault(rule))
          expect(fast < 0 || Number.isNaN(fast) || rule.reason === 'event_date_out_of_range').toBe(
            true,
          )
        else expect(Number.isNaN(fast) ? rule.micros : fast).toBe(rule.micros)
      }),
      { numRuns: 2000 },
    )
  },
)

test('the usual shapes of a date do not need the slow path', () => {
  const clock = localClock('UTC')
  for (const text of [
    '2026-03-01T00:01:11.055Z',
    '2021-03-01 00:01:11.055+00',
    '2021-03-01 00:01:11',
  ]) {
    expect(readInstant(Buffer.from(text), 0, text.length, clock)).toBeGreaterThan(0)
  }
})
