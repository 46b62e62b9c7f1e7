import fc from 'fast-check'
import { decimal, max, sum, toPlain, ZERO } from '../decimal'
import { decimalOf } from '../testing/decimal-of'
import { costOf, tiersOf } from '../testing/rate'
import { spreadFreeUnits } from './free-units'
import type { VolumePrice } from './price'
import { ratePrice } from './rate-price'

const price: VolumePrice = {
  model: 'volume',
  tiers: tiersOf(['10', '5'], ['20', '4'], [null, '3']),
  freeUnits: decimal('5'),
}

test.each([
  { situation: 'nothing used', units: '0', costs: '0' },
  { situation: 'all of it free', units: '5', costs: '0' },
  { situation: 'a fraction past the free units', units: '5.5', costs: '2.5' },
  { situation: 'tiers begin after the free units', units: '15', costs: '50' },
  { situation: 'one more', units: '16', costs: '44' },
  { situation: 'a credit has its free units too', units: '-16', costs: '-44' },
])('$situation: $units units cost $costs', ({ units, costs }) => {
  expect(costOf(price, units)).toBe(costs)
})

test('the free units have a line of their own', () => {
  const { lines } = ratePrice(price, { quantity: decimal('7') }, { currency: 'USD' })
  expect(lines.map((line) => line.description)).toEqual([
    '5 units free',
    "2 units at 5.00 (tier 1–10: every unit at the tier's price)",
  ])
})

const anyEvents = fc.array(decimalOf({ whole: 3, places: 2 }), { maxLength: 20 })

test('what events are charged for is the total above the free units, corrections included', () => {
  fc.assert(
    fc.property(anyEvents, fc.nat(500), (quantities, free) => {
      const freeUnits = decimal(String(free))
      const { billed } = spreadFreeUnits(
        quantities.map((quantity) => ({ quantity })),
        freeUnits,
      )
      const above = free === 0 ? sum(quantities) : max(sum(quantities).minus(freeUnits), ZERO)
      expect(toPlain(sum(billed.map((one) => one.units)))).toBe(toPlain(above))
    }),
  )
})

test('a correction gives free units back to what comes after it', () => {
  const events = ['10', '-10', '4', '3'].map((text) => ({ quantity: decimal(text) }))
  const { billed } = spreadFreeUnits(events, decimal('5'))
  expect(billed.map((one) => [toPlain(one.units), one.free])).toEqual([
    ['5', false],
    ['-5', false],
    ['0', true],
    ['2', false],
  ])
})
