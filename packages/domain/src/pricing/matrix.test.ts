import { decimal, toPlain } from '../decimal'
import { amountOf, tiersOf, usageOf } from '../testing/rate'
import type { MatrixPrice } from './price'
import { ratePrice } from './rate-price'
import type { RatedUsage } from './rated-usage'

const price: MatrixPrice = {
  model: 'matrix',
  dimensions: ['region', 'size'],
  cells: [
    {
      match: { region: 'eu', size: 'l' },
      price: { model: 'volume', tiers: tiersOf(['10', '5'], [null, '4']) },
    },
    { match: { region: 'eu', size: 's' }, price: { model: 'per_unit', unitPrice: decimal('1') } },
  ],
  default: { model: 'per_unit', unitPrice: decimal('2'), freeUnits: decimal('1') },
}

const groups = (...rows: readonly (readonly [Record<string, string>, string])[]): RatedUsage => ({
  quantity: decimal('0'),
  groups: rows.map(([properties, quantity]) => ({
    properties,
    usage: { quantity: decimal(quantity) },
  })),
})

test.each([
  { situation: 'nothing used', usage: groups(), costs: '0' },
  { situation: 'one cell', usage: groups([{ region: 'eu', size: 'l' }, '10']), costs: '50' },
  {
    situation: 'one past its bound',
    usage: groups([{ region: 'eu', size: 'l' }, '11']),
    costs: '44',
  },
  { situation: 'a fraction', usage: groups([{ region: 'eu', size: 's' }, '0.5']), costs: '0.5' },
  {
    situation: 'the default, with free units for each combination',
    usage: groups([{ region: 'us', size: 'l' }, '3'], [{ region: 'us', size: 's' }, '3']),
    costs: '8',
  },
  {
    situation: 'a combination that lacks a value',
    usage: groups([{ region: 'eu' }, '3']),
    costs: '4',
  },
  {
    situation: 'other properties of a group do not split a combination',
    usage: groups(
      [{ region: 'eu', size: 'l', user: 'a' }, '6'],
      [{ region: 'eu', size: 'l', user: 'b' }, '5'],
    ),
    costs: '44',
  },
  {
    situation: 'a huge number',
    usage: groups([{ region: 'eu', size: 's' }, '1000000000000000']),
    costs: '1000000000000000',
  },
  { situation: 'a credit', usage: groups([{ region: 'eu', size: 'l' }, '-11']), costs: '-44' },
])('$situation costs $costs', ({ usage, costs }) => {
  expect(toPlain(amountOf(price, usage))).toBe(costs)
})

test('events are put into their cells like groups', () => {
  const large = { region: 'eu', size: 'l' }
  const usage = usageOf(
    ['6', null, large],
    ['5', null, large],
    ['2', null, { region: 'eu', size: 's' }],
  )
  const { lines } = ratePrice(price, usage, { currency: 'USD' })
  expect(lines.map((line) => line.description)).toEqual([
    "region=eu, size=l: 11 units at 4.00 (tier 11 and above: every unit at the tier's price)",
    'region=eu, size=s: 2 units at 1.00',
  ])
})

test('usage that no cell prices is listed and costs nothing', () => {
  const without = { ...price, default: undefined }
  const usage = groups([{ region: 'us', size: 'l' }, '3'])
  const { lines, amount } = ratePrice(without, usage, { currency: 'USD' })
  expect(toPlain(amount)).toBe('0')
  expect(lines.map((line) => [line.kind, line.reason, toPlain(line.units)])).toEqual([
    ['unpriced', 'no_matching_cell', '3'],
  ])
})
