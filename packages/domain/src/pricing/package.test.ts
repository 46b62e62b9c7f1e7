import fc from 'fast-check'
import { decimal, divide } from '../decimal'
import { amountOf, costOf } from '../testing/rate'
import type { PackagePrice } from './price'

const price: PackagePrice = {
  model: 'package',
  packageSize: decimal('10'),
  packagePrice: decimal('100'),
}

test.each([
  { situation: 'nothing used costs nothing', units: '0', costs: '0' },
  { situation: 'a begun package is a whole one', units: '1', costs: '100' },
  { situation: 'a fraction begins one too', units: '0.000000000001', costs: '100' },
  { situation: 'exactly full', units: '10', costs: '100' },
  { situation: 'one past full', units: '11', costs: '200' },
  { situation: 'thirteen packages', units: '121', costs: '1300' },
  { situation: 'a huge number', units: '999999999999999', costs: '10000000000000000' },
  { situation: 'a credit', units: '-11', costs: '-200' },
])('$situation: $units units cost $costs', ({ units, costs }) => {
  expect(costOf(price, units)).toBe(costs)
})

test.each([
  { free: '10', units: '121', costs: '1200' },
  { free: '200', units: '121', costs: '0' },
])('$free free units come off before packages are counted: $units cost $costs', (row) => {
  expect(costOf({ ...price, freeUnits: decimal(row.free) }, row.units)).toBe(row.costs)
})

test.each([
  { round: 'up', units: '150', costs: '30' },
  { round: 'down', units: '150', costs: '20' },
  { round: 'down', units: '59', costs: '0' },
  { round: 'down', units: '60', costs: '10' },
] as const)('rounding $round, $units minutes of hours at 10 cost $costs', (row) => {
  const hours: PackagePrice = {
    model: 'package',
    packageSize: decimal('60'),
    packagePrice: decimal('10'),
    round: row.round,
  }
  expect(costOf(hours, row.units)).toBe(row.costs)
})

test.each([
  { units: '1', costs: '10' },
  { units: '5', costs: '10' },
  { units: '6', costs: '20' },
  { units: '7', costs: '20' },
])('packages of five users at 10: $units users cost $costs', ({ units, costs }) => {
  const users = { ...price, packageSize: decimal('5'), packagePrice: decimal('10') }
  expect(costOf(users, units)).toBe(costs)
})

test.each([
  { units: '401', costs: '5' },
  { units: '199', costs: '2' },
])('blocks of a hundred at 1: $units units cost $costs', ({ units, costs }) => {
  const blocks = { ...price, packageSize: decimal('100'), packagePrice: decimal('1') }
  expect(costOf(blocks, units)).toBe(costs)
})

test('a package never charges less than its share per unit', () => {
  fc.assert(
    fc.property(fc.nat(10_000_000), fc.integer({ min: 1, max: 5000 }), (thousandths, size) => {
      const quantity = decimal(String(thousandths)).times(decimal('0.001'))
      const packageSize = decimal(String(size))
      const amount = amountOf({ ...price, packageSize }, { quantity })
      const perUnit = divide(quantity.times(price.packagePrice), packageSize)
      expect(amount.plus(decimal('0.000000000000000000000001')).gte(perUnit)).toBe(true)
    }),
  )
})

test('the packages charged hold all units, and one less would not', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000_000 }), (thousandths) => {
      const quantity = decimal(String(thousandths)).times(decimal('0.001'))
      const packages = amountOf({ ...price, packagePrice: decimal('1') }, { quantity })
      expect(packages.times(price.packageSize).gte(quantity)).toBe(true)
      expect(packages.minus(decimal('1')).times(price.packageSize).lt(quantity)).toBe(true)
    }),
  )
})
