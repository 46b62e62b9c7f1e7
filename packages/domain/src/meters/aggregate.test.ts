import fc from 'fast-check'
import { decimal, sum, toPlain } from '../decimal'
import { decimalOf } from '../testing/decimal-of'
import { aggregate, type MeterEvent, type MeterSpan } from './aggregate'
import type { Meter } from './meter'

const HOUR = 3_600_000_000
/** August 2023, 31 days from hour 0. */
const span: MeterSpan = { from: 0, to: 31 * 24 * HOUR }

const meter = (more: Partial<Meter>): Meter => ({
  code: 'm',
  eventType: null,
  aggregation: 'sum',
  property: null,
  filters: [],
  groupBy: [],
  ...more,
})
const event = (
  hours: number,
  quantity: string,
  properties: Record<string, string> = {},
): MeterEvent => ({
  eventType: properties['type'] ?? 'call',
  eventDate: hours * HOUR,
  quantity: decimal(quantity),
  properties,
})
const quantityOf = (rule: Partial<Meter>, events: readonly MeterEvent[]) =>
  toPlain(aggregate(meter(rule), events, { span }).usage.quantity)

const events = [
  event(0, '2', { user: 'ann', gb: '1.5', type: 'storage' }),
  event(1, '3', { user: 'bob', gb: '10', type: 'storage' }),
  event(2, '-1', { user: 'ann', gb: 'many', type: 'storage' }),
  event(3, '5', { user: 'cid' }),
]

test.each<{ what: string; rule: Partial<Meter>; is: string }>([
  { what: 'the sum of quantities', rule: {}, is: '9' },
  { what: 'the sum of a property, where it is a number', rule: { property: 'gb' }, is: '11.5' },
  { what: 'the count', rule: { aggregation: 'count' }, is: '4' },
  { what: 'the greatest', rule: { aggregation: 'max', property: 'gb' }, is: '10' },
  { what: 'distinct values', rule: { aggregation: 'unique_count', property: 'user' }, is: '3' },
  { what: 'the latest', rule: { aggregation: 'latest' }, is: '5' },
  {
    what: 'the latest that is a number',
    rule: { aggregation: 'latest', property: 'gb' },
    is: '10',
  },
  { what: 'one event type', rule: { eventType: 'storage' }, is: '4' },
  { what: 'an event type nobody used', rule: { eventType: 'none' }, is: '0' },
])('$what is $is', ({ rule, is }) => {
  expect(quantityOf(rule, events)).toBe(is)
})

test.each<{ what: string; filters: Meter['filters']; is: string }>([
  { what: 'equal to a value', filters: [{ property: 'user', equals: 'ann' }], is: '2' },
  {
    what: 'not equal, or without it',
    filters: [{ property: 'gb', equals: '10', not: true }],
    is: '3',
  },
  { what: 'one of some', filters: [{ property: 'user', in: ['ann', 'cid'] }], is: '3' },
  { what: 'there', filters: [{ property: 'gb', exists: true }], is: '3' },
  { what: 'not there', filters: [{ property: 'gb', exists: true, not: true }], is: '1' },
  {
    what: 'all of several',
    filters: [
      { property: 'gb', exists: true },
      { property: 'user', equals: 'bob' },
    ],
    is: '1',
  },
])('events whose property is $what: $is', ({ filters, is }) => {
  expect(quantityOf({ aggregation: 'count', filters }, events)).toBe(is)
})

test('the span is half-open: its first instant counts, its end does not', () => {
  const edges = [event(-1, '1'), event(0, '10'), event(31 * 24, '100')]
  expect(quantityOf({}, edges)).toBe('10')
})

test('of two events of one instant the one with the greater key is the latest', () => {
  const one = { ...event(1, '7'), key: 'b' }
  const other = { ...event(1, '8'), key: 'a' }
  expect(quantityOf({ aggregation: 'latest' }, [one, other])).toBe('7')
})

test('the greatest of negative values is negative', () => {
  expect(quantityOf({ aggregation: 'max' }, [event(0, '-3'), event(1, '-2')])).toBe('-2')
})

const changes = [
  event(0, '2'),
  event(1, '3'),
  event(1.5, '1'),
  event(2, '-4'),
  event(4, '-2'),
  event(5, '10'),
  event(5.5, '-10'),
]

test.each([
  { what: 'seven changes in a morning', list: changes, is: '0.022177419355' },
  { what: 'a level that holds all month', list: [event(0, '1000')], is: '1000' },
  { what: 'two changes at once', list: [event(0, '3'), event(0, '3')], is: '6' },
  { what: 'ten for half the month', list: [event(15.5 * 24, '10')], is: '5' },
  { what: 'nothing', list: [], is: '0' },
  { what: 'a level carried in', list: [event(-500, '1000'), ...changes], is: '1000.022177419355' },
])('the weighted sum of $what is $is', ({ list, is }) => {
  expect(quantityOf({ aggregation: 'weighted_sum' }, list)).toBe(is)
})

test('a level carried in as a number is that level from the first instant', () => {
  const { usage } = aggregate(meter({ aggregation: 'weighted_sum' }), changes, {
    span,
    carriedIn: decimal('1000'),
  })
  expect(toPlain(usage.quantity)).toBe('1000.022177419355')
})

test('groups are by the values of the properties, a missing value being one of its own', () => {
  const { usage } = aggregate(meter({ groupBy: ['type'] }), events, { span })
  expect(usage.groups?.map((group) => [group.properties, toPlain(group.usage.quantity)])).toEqual([
    [{ type: 'storage' }, '4'],
    [{}, '5'],
  ])
})

const anyEvents = fc.array(
  fc
    .tuple(
      fc.integer({ min: -48, max: 31 * 24 + 48 }),
      decimalOf({ whole: 4, places: 3 }),
      fc.constantFrom('a', 'b', 'c'),
    )
    .map(([hours, quantity, user]) => event(hours, toPlain(quantity), { user })),
  { maxLength: 30 },
)

test.each(['count', 'sum', 'weighted_sum'] as const)(
  'the %s of the groups sums to that of the whole',
  (aggregation) => {
    fc.assert(
      fc.property(anyEvents, (list) => {
        const { usage } = aggregate(meter({ aggregation, groupBy: ['user'] }), list, { span })
        const groups = sum((usage.groups ?? []).map((group) => group.usage.quantity))
        // Each weighted sum is rounded to 12 places by itself.
        const difference = groups.minus(usage.quantity).abs()
        expect(difference.lte(decimal('0.000000000004'))).toBe(true)
      }),
    )
  },
)

test('the order of the list does not matter', () => {
  fc.assert(
    fc.property(anyEvents, (list) => {
      const keyed = list.map((one, at) => ({ ...one, key: String(at).padStart(3, '0') }))
      for (const aggregation of ['sum', 'max', 'latest', 'weighted_sum'] as const) {
        expect(quantityOf({ aggregation }, [...keyed].reverse())).toBe(
          quantityOf({ aggregation }, keyed),
        )
      }
    }),
  )
})
