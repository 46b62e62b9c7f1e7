import { standardMeter, toPlain } from '@billtrail/domain'
import { parsePlanVersion } from './parse-plan-version'

const meters = [standardMeter(), { ...standardMeter(), code: 'seats', aggregation: 'max' as const }]
const tiers = [
  { up_to: '10', unit_price: '5.00' },
  { up_to: null, unit_price: '3.00' },
]
const volume = { model: 'volume', tiers }
const parse = (charges: unknown, currency = 'USD') =>
  parsePlanVersion({ charges }, { currency, meters })

test('a plan of several charges is read', () => {
  const plan = parse([
    { name: 'Base fee', price: { model: 'flat', amount: '49.00' }, prorate: false },
    { meter: 'usage', price: volume },
    { id: 'again', meter: 'usage', price: { model: 'per_unit', unit_price: '0.0001' } },
  ])
  expect(plan.charges.map(({ id, name, meter }) => [id, name, meter])).toEqual([
    ['charge_1', 'Base fee', null],
    ['usage', 'usage', 'usage'],
    ['again', 'again', 'usage'],
  ])
  const price = plan.charges[2]!.price
  expect(price.model === 'per_unit' && toPlain(price.unitPrice)).toBe('0.0001')
})

test.each([
  { what: 'no charge', charges: [], field: 'charges' },
  {
    what: 'an unknown meter',
    charges: [{ meter: 'nope', price: volume }],
    field: 'charges[0].meter',
  },
  { what: 'usage without a meter', charges: [{ price: volume }], field: 'charges[0].meter' },
  {
    what: 'a gap-making last bound',
    charges: [
      { meter: 'usage', price: volume },
      {
        meter: 'usage',
        price: { ...volume, tiers: [...tiers.slice(0, 1), { up_to: '20', unit_price: '1' }] },
      },
    ],
    field: 'charges[1].price.tiers[1].up_to',
  },
  {
    what: 'a minimum finer than the currency',
    charges: [{ meter: 'usage', price: { ...volume, minimum: '9.999' } }],
    field: 'charges[0].price.minimum',
  },
  {
    what: 'a flat amount finer than the currency, in a cell',
    charges: [
      {
        meter: 'usage',
        price: {
          model: 'matrix',
          dimensions: ['region'],
          cells: [{ match: { region: 'eu' }, price: { model: 'flat', amount: '0.001' } }],
        },
      },
    ],
    field: 'charges[0].price.cells[0].price.amount',
  },
  {
    what: 'a flat fee finer than the currency',
    charges: [
      { meter: 'usage', price: { ...volume, tiers: [{ ...tiers[1], flat_fee: '1.005' }] } },
    ],
    field: 'charges[0].price.tiers[0].flat_fee',
  },
  {
    what: "events' own prices of a meter that does not add up",
    charges: [{ meter: 'seats', price: { model: 'dynamic' } }],
    field: 'charges[0].meter',
  },
  {
    what: 'an id used twice',
    charges: [
      { id: 'a', meter: 'usage', price: volume },
      { id: 'a', meter: 'usage', price: volume },
    ],
    field: 'charges[1].id',
  },
  {
    what: 'the id of the line of own prices',
    charges: [{ id: 'own_price', meter: 'usage', price: volume }],
    field: 'charges[0].id',
  },
  {
    what: 'an unknown field of a charge',
    charges: [{ meter: 'usage', price: volume, prise: '1' }],
    field: 'charges[0].prise',
  },
])('$what is refused, and named by its path', ({ charges, field }) => {
  expect(() => parse(charges)).toThrow(
    expect.objectContaining({
      kind: 'invalid',
      code: 'invalid_plan',
      errors: [expect.objectContaining({ field })],
    }) as Error,
  )
})

test('places are those of the currency: yen have none, dinars three', () => {
  const charges = [{ price: { model: 'flat', amount: '0.5' } }]
  expect(() => parse(charges, 'JPY')).toThrow(
    expect.objectContaining({
      errors: [expect.objectContaining({ field: 'charges[0].price.amount' })],
    }) as Error,
  )
  expect(parse([{ price: { model: 'flat', amount: '0.125' } }], 'KWD').charges).toHaveLength(1)
})

test('a currency that does not exist is refused', () => {
  expect(() => parse([{ meter: 'usage', price: volume }], 'ABC')).toThrow(
    expect.objectContaining({ code: 'unknown_currency' }) as Error,
  )
})
