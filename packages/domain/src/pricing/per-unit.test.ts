import fc from 'fast-check'
import { decimal, sum, toPlain } from '../decimal'
import { decimalOf } from '../testing/decimal-of'
import { amountOf, costOf } from '../testing/rate'
import type { PerUnitPrice } from './price'

const price: PerUnitPrice = { model: 'per_unit', unitPrice: decimal('0.0025') }

test.each([
  { situation: 'nothing used costs nothing', units: '0', costs: '0' },
  { situation: 'one unit', units: '1', costs: '0.0025' },
  { situation: 'a fraction of a unit', units: '0.5', costs: '0.00125' },
  { situation: 'a huge number', units: '999999999999999', costs: '2499999999999.9975' },
  { situation: 'a credit', units: '-4', costs: '-0.01' },
])('$situation: $units units cost $costs', ({ units, costs }) => {
  expect(costOf(price, units)).toBe(costs)
})

test('splitting usage into events does not change what it costs', () => {
  fc.assert(
    fc.property(fc.array(decimalOf({ whole: 9, places: 6 })), (quantities) => {
      const apart = sum(quantities.map((quantity) => amountOf(price, { quantity })))
      expect(toPlain(amountOf(price, { quantity: sum(quantities) }))).toBe(toPlain(apart))
    }),
  )
})
