import fc from 'fast-check'
import { decimal, sum, toPlain } from '../decimal'
import { tiersOf } from '../testing/rate'
import type { Price } from './price'
import { ratePrice } from './rate-price'

const tiers = tiersOf(['10', '5', '1'], ['20', '4', '2'], [null, '3', '7'])
const freeUnits = decimal('4')

const prices: readonly Price[] = [
  { model: 'per_unit', unitPrice: decimal('0.7'), freeUnits },
  { model: 'graduated', tiers, freeUnits },
  { model: 'package', packageSize: decimal('3'), packagePrice: decimal('2'), freeUnits },
  { model: 'percentage', rate: decimal('2.9'), freeUnits },
  {
    model: 'graduated_percentage',
    tiers: [
      { upTo: decimal('10'), rate: decimal('3'), flatFee: decimal('1') },
      { upTo: null, rate: decimal('2'), flatFee: decimal('5') },
    ],
    freeUnits,
  },
]

const anyQuantity = fc
  .nat(40_000)
  .map((thousandths) => decimal(String(thousandths)).times(decimal('0.001')))

test.each(prices)(
  'where tiers are carried, two parts of a month cost what the whole does: $model',
  (price) => {
    fc.assert(
      fc.property(fc.array(anyQuantity, { minLength: 1, maxLength: 4 }), (parts) => {
        const amounts = parts.map((quantity, at) => {
          const carriedIn = at === 0 ? undefined : sum(parts.slice(0, at))
          return ratePrice(price, { quantity, carriedIn }, { currency: 'USD' }).amount
        })
        const whole = ratePrice(price, { quantity: sum(parts) }, { currency: 'USD' }).amount
        expect(toPlain(sum(amounts))).toBe(toPlain(whole))
      }),
    )
  },
)

test('a volume price is that of the tier reached so far, and its fee is charged when it is entered', () => {
  const price: Price = { model: 'volume', tiers }
  const cost = (quantity: string, carriedIn: string) =>
    toPlain(
      ratePrice(
        price,
        { quantity: decimal(quantity), carriedIn: decimal(carriedIn) },
        { currency: 'USD' },
      ).amount,
    )
  expect([cost('5', '5'), cost('5', '8'), cost('5', '12'), cost('0', '12')]).toEqual([
    '25',
    '22',
    '20',
    '0',
  ])
})

test('without carried tiers each part begins with the first tier and its fee', () => {
  const price: Price = { model: 'graduated', tiers }
  expect(toPlain(ratePrice(price, { quantity: decimal('0') }, { currency: 'USD' }).amount)).toBe(
    '1',
  )
})
