import fc from 'fast-check'
import { decimal, toPlain } from '../decimal'
import { costOf, tiersOf } from '../testing/rate'
import { standardCharges } from './plan'
import type { VolumePrice } from './price'
import { ratePrice } from './rate-price'

const standard = standardCharges()[0]!.price
const withFees: VolumePrice = {
  model: 'volume',
  tiers: tiersOf(['100', '2', '10'], ['200', '1'], [null, '0.5', '50']),
}

test.each([
  { situation: 'nothing used costs nothing', units: '0', costs: '0' },
  { situation: 'inside the first tier', units: '1', costs: '5' },
  { situation: 'exactly on a bound stays in the lower tier', units: '10', costs: '50' },
  { situation: 'a fraction past a bound is in the next tier', units: '10.5', costs: '42' },
  { situation: 'one past a bound', units: '11', costs: '44' },
  { situation: 'on the second bound', units: '20', costs: '80' },
  { situation: 'one past the second bound', units: '21', costs: '63' },
  { situation: 'deep in the open tier', units: '350', costs: '1050' },
  { situation: 'a huge number', units: '1000000000000000', costs: '3000000000000000' },
  { situation: 'a credit is the price of as many units, negated', units: '-15', costs: '-60' },
])('the standard plan, $situation: $units units cost $costs', ({ units, costs }) => {
  expect(costOf(standard, units)).toBe(costs)
})

test('the volume price may fall at a boundary: eleven units cost less than ten', () => {
  expect(costOf(standard, '10')).toBe('50')
  expect(costOf(standard, '11')).toBe('44')
})

test.each([
  { situation: "the first tier's fee is charged at quantity 0", units: '0', costs: '10' },
  { situation: 'one unit and the fee', units: '1', costs: '12' },
  { situation: 'the end of the first tier', units: '100', costs: '210' },
  { situation: 'between whole units', units: '100.5', costs: '100.5' },
  { situation: 'the start of the second tier', units: '101', costs: '101' },
  { situation: 'the end of the second tier', units: '200', costs: '200' },
  { situation: 'only the fee of the tier that holds the quantity', units: '300', costs: '200' },
])('with flat fees, $situation: $units units cost $costs', ({ units, costs }) => {
  expect(costOf(withFees, units)).toBe(costs)
})

test.each([
  { units: '3', costs: '100' },
  { units: '5', costs: '100' },
  { units: '14', costs: '140' },
  { units: '15', costs: '150' },
  { units: '16', costs: '80' },
  { units: '100', costs: '500' },
])(
  'tiers of only a fee and tiers of only a price: $units units cost $costs',
  ({ units, costs }) => {
    const tiers = tiersOf(['5', '0', '100'], ['10', '0', '150'], ['15', '10'], [null, '5'])
    expect(costOf({ model: 'volume', tiers }, units)).toBe(costs)
  },
)

test('blocks of one unit at the top tier: 111 units cost 55.5', () => {
  const tiers = tiersOf(['10', '1.5'], ['110', '1.0'], [null, '0.5'])
  expect(costOf({ model: 'volume', tiers }, '111')).toBe('55.5')
})

test('one line prices every unit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), (thousandths) => {
      const quantity = decimal(String(thousandths)).times(decimal('0.001'))
      const { lines } = ratePrice(standard, { quantity }, { currency: 'USD' })
      expect(lines.map((line) => toPlain(line.units))).toEqual([toPlain(quantity)])
    }),
  )
})

test('the line says its arithmetic and its tier', () => {
  const { lines } = ratePrice(standard, { quantity: decimal('15') }, { currency: 'USD' })
  expect(lines.map((line) => line.description)).toEqual([
    "15 units at 4.00 (tier 11–20: every unit at the tier's price)",
  ])
})
