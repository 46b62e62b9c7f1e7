import { decimal, toPlain } from '../decimal'
import { tiersOf } from '../testing/rate'
import type { Price } from './price'
import { proratedDays } from './proration'
import { ratePrice } from './rate-price'

const each: Price = { model: 'per_unit', unitPrice: decimal('10') }
const minimum = decimal('100')
const maximum = decimal('100')

test.each([
  { situation: 'no usage', price: { ...each, minimum }, units: '0', costs: '100', line: '100' },
  { situation: 'less', price: { ...each, minimum }, units: '3', costs: '100', line: '70' },
  { situation: 'exactly it', price: { ...each, minimum }, units: '10', costs: '100', line: null },
  { situation: 'more', price: { ...each, minimum }, units: '11', costs: '110', line: null },
  { situation: 'a credit', price: { ...each, minimum }, units: '-1', costs: '100', line: '110' },
])('a minimum of 100, $situation: $units units cost $costs', ({ price, units, costs, line }) => {
  const { amount, limit } = ratePrice(price, { quantity: decimal(units) }, { currency: 'USD' })
  expect(toPlain(amount)).toBe(costs)
  expect(limit === null ? null : toPlain(limit.amount)).toBe(line)
})

test.each([
  { situation: 'less', units: '9', costs: '90', line: null },
  { situation: 'exactly it', units: '10', costs: '100', line: null },
  { situation: 'more', units: '12', costs: '100', line: '-20' },
  { situation: 'much more', units: '1000000000000', costs: '100', line: '-9999999999900' },
])('a maximum of 100, $situation: $units units cost $costs', ({ units, costs, line }) => {
  const quantity = decimal(units)
  const { amount, limit } = ratePrice({ ...each, maximum }, { quantity }, { currency: 'USD' })
  expect(toPlain(amount)).toBe(costs)
  expect(limit === null ? null : toPlain(limit.amount)).toBe(line)
})

test('the first fee of tiers counts towards the minimum', () => {
  const tiers = tiersOf(['5', '0', '100'], [null, '5'])
  const price: Price = { model: 'volume', tiers, minimum: decimal('150') }
  const { limit } = ratePrice(price, { quantity: decimal('0') }, { currency: 'USD' })
  expect(limit?.description).toBe('True-up to the minimum of 150.00')
  expect(toPlain(limit!.amount)).toBe('50')
})

test('an amount that rounds to the minimum has no true-up of nothing', () => {
  const quantity = decimal('9.9996')
  expect(ratePrice({ ...each, minimum }, { quantity }, { currency: 'USD' }).limit).toBeNull()
})

test('for a part of the month minimum and maximum are those days of it', () => {
  const days = proratedDays({ from: '2026-04-16', to: '2026-05-01', period: '2026-04' })
  const context = { currency: 'USD', days }
  const low = ratePrice({ ...each, minimum }, { quantity: decimal('1') }, context)
  const high = ratePrice({ ...each, maximum }, { quantity: decimal('99') }, context)
  expect([toPlain(low.amount), toPlain(high.amount)]).toEqual(['50', '50'])
})
