import fc from 'fast-check'
import { decimal, toPlain } from '../decimal'
import { decimalOf } from '../testing/decimal-of'
import { tiersOf, usageOf } from '../testing/rate'
import type { Price } from './price'
import { ratePrice } from './rate-price'
import { sumOfLines } from './rated-line'

const base = {
  freeUnits: decimal('7'),
  discountPercent: decimal('12.5'),
  minimum: decimal('3'),
  maximum: decimal('500'),
}
const tiers = tiersOf(['10', '5', '1'], ['20', '4', '2'], [null, '3'])

/** One of each model, with every modifier it can have. */
const prices: readonly Price[] = [
  { model: 'per_unit', unitPrice: decimal('1.234567'), ...base },
  { model: 'volume', tiers, ...base },
  { model: 'graduated', tiers, ...base },
  { model: 'package', packageSize: decimal('3'), packagePrice: decimal('2'), ...base },
  { model: 'percentage', rate: decimal('2.9'), fixedFee: decimal('0.3'), ...base },
  {
    model: 'graduated_percentage',
    tiers: [
      { upTo: decimal('10'), rate: decimal('3') },
      { upTo: null, rate: decimal('2') },
    ],
    ...base,
  },
  { model: 'dynamic', dedupeBy: ['who'], cap: { per: 'who', amount: decimal('9') }, ...base },
  { model: 'flat', amount: decimal('9.99'), discountPercent: decimal('10') },
  {
    model: 'matrix',
    dimensions: ['who'],
    cells: [{ match: { who: 'ann' }, price: { model: 'graduated', tiers, ...base } }],
    default: { model: 'per_unit', unitPrice: decimal('1') },
    discountPercent: decimal('50'),
  },
]

const anyUsage = fc
  .array(fc.tuple(decimalOf({ whole: 3, places: 2 }), fc.constantFrom('ann', 'bob')), {
    maxLength: 10,
  })
  .map((rows) =>
    usageOf(...rows.map(([quantity, who]) => [toPlain(quantity), '1.1', { who }] as const)),
  )

test.each(prices)('the lines of a $model price sum to its amount', (price) => {
  fc.assert(
    fc.property(anyUsage, (usage) => {
      const { amount, lines } = ratePrice(price, usage, { currency: 'USD' })
      expect(toPlain(sumOfLines(lines))).toBe(toPlain(amount))
    }),
  )
})

test.each(prices)('each line of a $model price carries its own arithmetic', (price) => {
  fc.assert(
    fc.property(anyUsage, (usage) => {
      for (const line of ratePrice(price, usage, { currency: 'USD' }).lines) {
        if (line.unitPrice === null) continue
        const amount = line.units.times(line.unitPrice).plus(line.flatFee)
        expect(toPlain(line.amount)).toBe(toPlain(amount))
      }
    }),
  )
})

test('free units come before the price, the discount before the maximum', () => {
  const price: Price = {
    model: 'per_unit',
    unitPrice: decimal('10'),
    freeUnits: decimal('7'),
    discountPercent: decimal('50'),
    maximum: decimal('100'),
  }
  const { amount, lines } = ratePrice(price, { quantity: decimal('34') }, { currency: 'USD' })
  expect(lines.map((line) => [line.kind, toPlain(line.amount)])).toEqual([
    ['free_units', '0'],
    ['usage', '270'],
    ['discount', '-135'],
    ['savings', '-35'],
  ])
  expect(toPlain(amount)).toBe('100')
})

test('the discount is of the fees too', () => {
  const price: Price = { model: 'graduated', tiers, discountPercent: decimal('10') }
  const { amount } = ratePrice(price, { quantity: decimal('1') }, { currency: 'USD' })
  expect(toPlain(amount)).toBe('5.4')
})
