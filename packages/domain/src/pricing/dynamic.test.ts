import fc from 'fast-check'
import { decimal, sum, toPlain } from '../decimal'
import { decimalOf } from '../testing/decimal-of'
import { amountOf, usageOf } from '../testing/rate'
import type { DynamicPrice } from './price'
import { ratePrice } from './rate-price'
import type { RatedEvent } from './rated-usage'

const price: DynamicPrice = { model: 'dynamic' }

test('each event costs its quantity at its own price: Alice pays 9.20 and Bob 16.61', () => {
  const alice = usageOf(['58', '0.05'], ['42', '0.15'])
  const bob = usageOf(['27', '0.03'], ['27', '0.03'], ['1', '14.99'])
  expect(toPlain(amountOf(price, alice))).toBe('9.2')
  expect(toPlain(amountOf(price, bob))).toBe('16.61')
})

test.each([
  { situation: 'no events', usage: usageOf(), costs: '0' },
  { situation: 'a quantity of 0', usage: usageOf(['0', '5']), costs: '0' },
  { situation: 'a fraction', usage: usageOf(['0.5', '0.000000000001']), costs: '0.0000000000005' },
  {
    situation: 'a huge number',
    usage: usageOf(['1000000000000', '999.99']),
    costs: '999990000000000',
  },
  { situation: 'a correction', usage: usageOf(['3', '2'], ['-1', '2']), costs: '4' },
  { situation: 'a credit', usage: usageOf(['-3', '2']), costs: '-6' },
])('$situation costs $costs', ({ usage, costs }) => {
  expect(toPlain(amountOf(price, usage))).toBe(costs)
})

test('an event without a price of its own is shown and costs nothing', () => {
  const { lines, amount } = ratePrice(price, usageOf(['2', '5'], ['3']), { currency: 'USD' })
  expect(toPlain(amount)).toBe('10')
  expect(lines.map((line) => [line.kind, toPlain(line.units)])).toEqual([
    ['usage', '2'],
    ['unpriced', '3'],
  ])
})

const anyEvents = fc.array(
  fc
    .tuple(decimalOf({ whole: 3, places: 2 }), fc.constantFrom('0.05', '0.15', '5', '14.99', '-2'))
    .map(([quantity, unitPrice]): RatedEvent => ({ quantity, unitPrice: decimal(unitPrice) })),
  { maxLength: 30 },
)

test('sums by unit price are rated to the same lines as single events', () => {
  fc.assert(
    fc.property(anyEvents, (events) => {
      const quantity = sum(events.map((event) => event.quantity))
      const prices = [...new Set(events.map((event) => toPlain(event.unitPrice ?? decimal('0'))))]
      const slices = prices.map((text) => {
        const same = events.filter((event) => event.unitPrice?.eq(decimal(text)))
        return { unitPrice: decimal(text), quantity: sum(same.map((event) => event.quantity)) }
      })
      const text = (usage: Parameters<typeof ratePrice>[1]) =>
        ratePrice(price, usage, { currency: 'USD' }).lines.map((line) => [
          line.description,
          toPlain(line.units),
          toPlain(line.amount),
        ])
      expect(text({ quantity, slices })).toEqual(text({ quantity, events }))
    }),
  )
})

test('a thousand different prices make one line, which still sums every event', () => {
  const rows = Array.from(
    { length: 1000 },
    (_, at) => ['2', `0.${String(at + 1).padStart(4, '0')}`] as const,
  )
  const { lines, amount } = ratePrice(price, usageOf(...rows), { currency: 'USD' })
  expect(lines.map((line) => line.description)).toEqual(['2,000 units at 1000 different prices'])
  expect(toPlain(amount)).toBe('100.1')
})
