import fc from 'fast-check'
import { decimal, sum, toPlain } from '../decimal'
import { decimalOf } from '../testing/decimal-of'
import { amountOf, costOf, usageOf } from '../testing/rate'
import type { PercentagePrice } from './price'
import { ratePrice } from './rate-price'

const share: PercentagePrice = { model: 'percentage', rate: decimal('1.3') }
const card: PercentagePrice = { ...share, fixedFee: decimal('2') }

test.each([
  { situation: 'nothing', value: '0', costs: '0' },
  { situation: 'a value', value: '800', costs: '10.4' },
  { situation: 'a fraction', value: '0.01', costs: '0.00013' },
  { situation: 'a huge value', value: '1000000000000000', costs: '13000000000000' },
  { situation: 'a refund', value: '-800', costs: '-10.4' },
])('$situation: of $value are charged $costs', ({ value, costs }) => {
  expect(costOf(share, value)).toBe(costs)
})

const four = usageOf(['50'], ['100'], ['250'], ['400'])

test.each([
  { situation: 'share and fee of each event', price: card, costs: '18.4' },
  { situation: 'a fee alone', price: { ...card, rate: decimal('0') }, costs: '8' },
  {
    situation: 'wholly free events pay no fee, the partly free one does',
    price: { ...card, freeUnits: decimal('250') },
    costs: '11.15',
  },
  { situation: 'all free', price: { ...card, freeUnits: decimal('800') }, costs: '0' },
])('four events worth 800, $situation: $costs', ({ price, costs }) => {
  expect(toPlain(amountOf(price, four))).toBe(costs)
})

const held: PercentagePrice = {
  model: 'percentage',
  rate: decimal('1'),
  minPerEvent: decimal('1.75'),
  maxPerEvent: decimal('12'),
}
const three = usageOf(['100'], ['1000'], ['10000'])

test.each([
  { situation: 'each event is held between minimum and maximum', price: held, costs: '23.75' },
  {
    situation: 'the fee is held together with the share',
    price: { ...held, fixedFee: decimal('1') },
    costs: '25',
  },
  {
    situation: 'a wholly free event pays no minimum',
    price: { ...held, freeUnits: decimal('300') },
    costs: '20',
  },
])('$situation: $costs', ({ price, costs }) => {
  expect(toPlain(amountOf(price, three))).toBe(costs)
})

test('free units come off the earliest events, whatever order they are in', () => {
  const events = [
    { quantity: decimal('1000'), eventDate: 3 },
    { quantity: decimal('100'), eventDate: 1 },
    { quantity: decimal('200'), eventDate: 2 },
  ]
  const price: PercentagePrice = { ...card, freeUnits: decimal('300') }
  expect(toPlain(amountOf(price, { quantity: decimal('1300'), events }))).toBe('15')
})

test('a correction takes its share and its fee back', () => {
  expect(toPlain(amountOf(card, usageOf(['100'], ['-100'])))).toBe('0')
})

test('a refund of more than was used is the charge of it, negated', () => {
  const price: PercentagePrice = { ...card, freeUnits: decimal('10') }
  expect(toPlain(amountOf(price, usageOf(['-110'])))).toBe('-3.3')
})

test('an event of value 0 pays the fee', () => {
  expect(toPlain(amountOf(card, usageOf(['0'])))).toBe('2')
})

const anyValues = fc.array(decimalOf({ whole: 4, places: 2 }), { maxLength: 20 })

test('splitting a value into events does not change its share', () => {
  fc.assert(
    fc.property(anyValues, fc.nat(1000), (values, free) => {
      const price: PercentagePrice = { ...share, freeUnits: decimal(String(free)) }
      const events = values.map((quantity) => ({ quantity }))
      const quantity = sum(values)
      const apart = amountOf(price, { quantity, events })
      expect(toPlain(apart)).toBe(toPlain(amountOf(price, { quantity })))
    }),
  )
})

test('charged and free value together are the value used', () => {
  fc.assert(
    fc.property(anyValues, fc.nat(1000), (values, free) => {
      const price: PercentagePrice = { ...card, freeUnits: decimal(String(free)) }
      const events = values.map((quantity) => ({ quantity }))
      const { lines } = ratePrice(price, { quantity: sum(values), events }, { currency: 'USD' })
      const counted = lines.filter((line) => line.kind === 'usage' || line.kind === 'free_units')
      expect(toPlain(sum(counted.map((line) => line.units)))).toBe(toPlain(sum(values)))
    }),
  )
})
