import fc from 'fast-check'
import { decimal, sum, toPlain, ZERO } from '../decimal'
import { amountOf, costOf, tiersOf } from '../testing/rate'
import type { GraduatedPrice } from './price'
import { ratePrice } from './rate-price'
import type { Tier } from './tiers'

const plain: GraduatedPrice = {
  model: 'graduated',
  tiers: tiersOf(['1000', '0.10'], ['5000', '0.05'], [null, '0.01']),
}
const withFees: GraduatedPrice = {
  model: 'graduated',
  tiers: tiersOf(['10', '10', '2'], ['20', '5', '3'], [null, '5', '3']),
}

test.each([
  { situation: 'nothing used costs nothing', units: '0', costs: '0' },
  { situation: 'inside the first tier', units: '10', costs: '1' },
  { situation: 'exactly on a bound stays in the lower tier', units: '1000', costs: '100' },
  { situation: 'a fraction past a bound', units: '1000.5', costs: '100.025' },
  { situation: 'one past a bound', units: '1001', costs: '100.05' },
  { situation: 'every tier in play', units: '6000', costs: '310' },
  { situation: 'a huge number', units: '1000000000000000', costs: '10000000000250' },
  { situation: 'a credit', units: '-1001', costs: '-100.05' },
])('$situation: $units units cost $costs', ({ units, costs }) => {
  expect(costOf(plain, units)).toBe(costs)
})

test.each([
  { situation: "the first tier's fee is charged at quantity 0", units: '0', costs: '2' },
  { situation: 'one unit', units: '1', costs: '12' },
  { situation: 'the end of the first tier', units: '10', costs: '102' },
  { situation: 'the fee of a tier on entering it', units: '11', costs: '110' },
  { situation: 'once', units: '12', costs: '115' },
  { situation: 'and of every tier entered', units: '21', costs: '163' },
])('with flat fees, $situation: $units units cost $costs', ({ units, costs }) => {
  expect(costOf(withFees, units)).toBe(costs)
})

test('tiers of only a fee and tiers of only a price: 22 units cost 182', () => {
  const tiers = tiersOf(['5', '0', '100'], ['10', '0', '50'], ['15', '5'], [null, '1'])
  expect(costOf({ model: 'graduated', tiers }, '22')).toBe('182')
})

test('blocks of one unit over all tiers: 111 units cost 115.5', () => {
  const tiers = tiersOf(['10', '1.5'], ['110', '1.0'], [null, '0.5'])
  expect(costOf({ model: 'graduated', tiers }, '111')).toBe('115.5')
})

/** One to five tiers with rising bounds and any prices. */
const anyTiers = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.nat(10_000)), { minLength: 1, maxLength: 5 })
  .map((rows): Tier[] => {
    let bound = 0
    return rows.map(([width, price], at) => {
      bound += width
      const upTo = at === rows.length - 1 ? null : decimal(String(bound))
      return { upTo, unitPrice: decimal(String(price)).times(decimal('0.0001')) }
    })
  })

const anyQuantity = fc
  .integer({ min: 0, max: 3_000_000 })
  .map((thousandths) => decimal(String(thousandths)).times(decimal('0.001')))

test('every unit used is on exactly one line', () => {
  fc.assert(
    fc.property(anyTiers, anyQuantity, (tiers, quantity) => {
      const { lines } = ratePrice({ model: 'graduated', tiers }, { quantity }, { currency: 'USD' })
      expect(toPlain(sum(lines.map((line) => line.units)))).toBe(toPlain(quantity))
    }),
  )
})

test('more usage never costs less', () => {
  fc.assert(
    fc.property(anyTiers, anyQuantity, anyQuantity, (tiers, one, other) => {
      const price: GraduatedPrice = { model: 'graduated', tiers }
      const [less, more] = one.lt(other) ? [one, other] : [other, one]
      const difference = amountOf(price, { quantity: more }).minus(
        amountOf(price, { quantity: less }),
      )
      expect(difference.gte(ZERO)).toBe(true)
    }),
  )
})

test('the price has no jump: a little more usage costs at most a little more', () => {
  const step = decimal('0.000001')
  fc.assert(
    fc.property(anyTiers, anyQuantity, (tiers, quantity) => {
      const price: GraduatedPrice = { model: 'graduated', tiers }
      const more = amountOf(price, { quantity: quantity.plus(step) })
      const dearest = tiers.reduce(
        (top, tier) => (tier.unitPrice.gt(top) ? tier.unitPrice : top),
        ZERO,
      )
      expect(more.minus(amountOf(price, { quantity })).lte(step.times(dearest))).toBe(true)
    }),
  )
})

test('with one tier volume and graduated are the same', () => {
  fc.assert(
    fc.property(fc.nat(10_000), fc.nat(100), anyQuantity, (unit, fee, quantity) => {
      const tiers = tiersOf([null, String(unit), String(fee)])
      const graduated = amountOf({ model: 'graduated', tiers }, { quantity })
      expect(toPlain(amountOf({ model: 'volume', tiers }, { quantity }))).toBe(toPlain(graduated))
    }),
  )
})
