import { decimal } from '../decimal'
import { costOf } from '../testing/rate'
import type { GraduatedPercentagePrice } from './price'

const price: GraduatedPercentagePrice = {
  model: 'graduated_percentage',
  tiers: [
    { upTo: decimal('10'), rate: decimal('1'), flatFee: decimal('200') },
    { upTo: decimal('20'), rate: decimal('2'), flatFee: decimal('300') },
    { upTo: null, rate: decimal('3'), flatFee: decimal('400') },
  ],
}

test.each([
  { situation: "the first tier's fee is charged at value 0", value: '0', costs: '200' },
  { situation: 'inside the first tier', value: '1', costs: '200.01' },
  { situation: 'exactly on a bound', value: '10', costs: '200.1' },
  { situation: 'a fraction past a bound', value: '10.5', costs: '500.11' },
  { situation: 'one past a bound', value: '11', costs: '500.12' },
  { situation: 'two past a bound', value: '12', costs: '500.14' },
  { situation: 'every tier entered', value: '21', costs: '900.33' },
  { situation: 'a huge value', value: '1000000000000000', costs: '30000000000899.7' },
  { situation: 'a refund', value: '-11', costs: '-500.12' },
])('$situation: of $value are charged $costs', ({ value, costs }) => {
  expect(costOf(price, value)).toBe(costs)
})
