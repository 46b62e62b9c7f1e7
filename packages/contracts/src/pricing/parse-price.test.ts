import fc from 'fast-check'
import { DomainError } from '@billtrail/domain'
import { parsePrice } from './parse-price'
import { CellPrice, MatrixPrice, Price, type CellPriceJson, type PriceJson } from './price.schema'
import { priceJson } from './price-json'

const models = [...CellPrice.options, MatrixPrice]

test.each(models.map((schema) => ({ model: schema.shape.model.value, schema })))(
  'the documented example of $model is a price of that model',
  ({ model, schema }) => {
    expect(parsePrice(schema.meta()?.['example']).model).toBe(model)
  },
)

const tiers = [
  { up_to: '10', unit_price: '5.00' },
  { up_to: '20', unit_price: '4.00' },
  { up_to: null, unit_price: '3.00' },
]
const eu = { match: { region: 'eu' }, price: { model: 'flat', amount: '1' } }

test.each([
  {
    what: 'a last tier that is not open',
    price: { model: 'volume', tiers: tiers.slice(0, 2) },
    field: 'tiers[1].up_to',
  },
  {
    what: 'an open tier that is not the last',
    price: { model: 'graduated', tiers: [tiers[2], tiers[2]] },
    field: 'tiers[0].up_to',
  },
  {
    what: 'falling bounds',
    price: { model: 'graduated', tiers: [tiers[1], tiers[0], tiers[2]] },
    field: 'tiers[1].up_to',
  },
  {
    what: 'equal bounds however spelled',
    price: { model: 'graduated', tiers: [tiers[0], { ...tiers[0], up_to: '10.0' }, tiers[2]] },
    field: 'tiers[1].up_to',
  },
  {
    what: 'a bound of 0',
    price: { model: 'volume', tiers: [{ up_to: '0', unit_price: '1' }, tiers[2]] },
    field: 'tiers[0].up_to',
  },
  { what: 'no tiers', price: { model: 'volume', tiers: [] }, field: 'tiers' },
  {
    what: 'a bound left out',
    price: { model: 'volume', tiers: [{ unit_price: '1' }] },
    field: 'tiers[0].up_to',
  },
  {
    what: 'a beginning of a tier, which could leave a gap',
    price: { model: 'volume', tiers: [{ ...tiers[2], from: '5' }] },
    field: 'tiers[0].from',
  },
  { what: 'a number', price: { model: 'per_unit', unit_price: 0.1 }, field: 'unit_price' },
  { what: 'an exponent', price: { model: 'per_unit', unit_price: '1e3' }, field: 'unit_price' },
  { what: 'a negative price', price: { model: 'per_unit', unit_price: '-1' }, field: 'unit_price' },
  {
    what: 'a thirteenth decimal place',
    price: { model: 'per_unit', unit_price: '0.0000000000001' },
    field: 'unit_price',
  },
  { what: 'an unknown model', price: { model: 'guess' }, field: 'model' },
  {
    what: 'an unknown field',
    price: { model: 'flat', amount: '1', amonut: '2' },
    field: 'amonut',
  },
  {
    what: 'free units of a flat amount',
    price: { model: 'flat', amount: '1', free_units: '2' },
    field: 'free_units',
  },
  {
    what: 'a minimum above the maximum',
    price: { model: 'flat', amount: '1', minimum: '9', maximum: '8.99' },
    field: 'minimum',
  },
  {
    what: "an event's minimum above its maximum",
    price: { model: 'percentage', rate: '1', min_per_event: '2', max_per_event: '1' },
    field: 'min_per_event',
  },
  {
    what: 'a cap on tiers, which do not say what an event costs',
    price: { model: 'volume', tiers, cap: { per: 'user', amount: '1' } },
    field: 'cap',
  },
  {
    what: 'a discount above a hundred',
    price: { model: 'flat', amount: '1', discount_percent: '100.01' },
    field: 'discount_percent',
  },
  {
    what: 'a package of nothing',
    price: { model: 'package', package_size: '0.0', package_price: '1' },
    field: 'package_size',
  },
  {
    what: 'a cell that lacks a dimension',
    price: { model: 'matrix', dimensions: ['region', 'size'], cells: [eu] },
    field: 'cells[0].match.size',
  },
  {
    what: 'a cell with a dimension too many',
    price: {
      model: 'matrix',
      dimensions: ['region'],
      cells: [{ ...eu, match: { region: 'eu', size: 'l' } }],
    },
    field: 'cells[0].match.size',
  },
  {
    what: 'two cells with the same values',
    price: { model: 'matrix', dimensions: ['region'], cells: [eu, eu] },
    field: 'cells[1].match',
  },
  {
    what: 'a fault inside a cell',
    price: {
      model: 'matrix',
      dimensions: ['region'],
      cells: [{ ...eu, price: { model: 'volume', tiers: tiers.slice(0, 1) } }],
    },
    field: 'cells[0].price.tiers[0].up_to',
  },
])('$what is refused, and named by its path', ({ price, field }) => {
  expect(() => parsePrice(price)).toThrow(
    expect.objectContaining({
      kind: 'invalid',
      code: 'invalid_price',
      errors: [expect.objectContaining({ field })],
    }) as Error,
  )
})

test('all faults are named at once', () => {
  const price = { model: 'volume', tiers: [{ up_to: '5', unit_price: 'x' }], minimum: '-1' }
  expect(() => parsePrice(price, ['charges', 1, 'price'])).toThrow(
    expect.objectContaining({
      errors: [
        expect.objectContaining({ field: 'charges[1].price.tiers[0].unit_price' }),
        expect.objectContaining({ field: 'charges[1].price.minimum' }),
      ],
    }) as Error,
  )
})

const money = fc
  .tuple(fc.nat(9999), fc.nat(999))
  .map(([whole, part]) => `${whole}.${String(part).padStart(3, '0')}`)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const bounds = fc
  .uniqueArray(fc.integer({ min: 1, max: 9999 }), { maxLength: 4 })
  .map((all) => [...all.sort((a, b) => a - b).map(String), null])
const limits = {
  discount_percent: maybe(fc.nat(100).map(String)),
  minimum: maybe(fc.nat(50).map(String)),
  maximum: maybe(fc.integer({ min: 50, max: 90 }).map(String)),
}
const quantities = { ...limits, free_units: maybe(money) }
const singles = {
  ...quantities,
  dedupe_by: maybe(fc.array(fc.constantFrom('a', 'b'), { minLength: 1, maxLength: 2 })),
  cap: maybe(fc.record({ per: fc.constant('user'), amount: money })),
}
const tiersWith = (name: 'unit_price' | 'rate') =>
  fc
    .tuple(bounds, money, maybe(money))
    .map(([all, price, fee]) => all.map((upTo) => ({ up_to: upTo, [name]: price, flat_fee: fee })))

const anyCellPrice = fc.oneof(
  fc.record({ model: fc.constant('per_unit'), unit_price: money, ...singles }),
  fc.record({
    model: fc.constantFrom('volume', 'graduated'),
    tiers: tiersWith('unit_price'),
    ...quantities,
  }),
  fc.record({
    model: fc.constant('package'),
    package_size: fc.integer({ min: 1, max: 99 }).map(String),
    package_price: money,
    round: fc.constantFrom('up', 'down', undefined),
    ...quantities,
  }),
  fc.record({
    model: fc.constant('percentage'),
    rate: money,
    fixed_fee: maybe(money),
    max_per_event: maybe(money),
    ...singles,
  }),
  fc.record({
    model: fc.constant('graduated_percentage'),
    tiers: tiersWith('rate'),
    ...quantities,
  }),
  fc.record({ model: fc.constant('dynamic'), ...singles }),
  fc.record({ model: fc.constant('flat'), amount: money, ...limits }),
) as fc.Arbitrary<CellPriceJson>

const anyPrice = fc.oneof(
  anyCellPrice,
  fc.record({
    model: fc.constant('matrix' as const),
    dimensions: fc.constant(['region']),
    cells: fc
      .uniqueArray(fc.string(), { minLength: 1, maxLength: 3 })
      .chain((values) =>
        fc.tuple(
          ...values.map((region) =>
            fc.record({ match: fc.constant({ region }), price: anyCellPrice }),
          ),
        ),
      ),
    default: maybe(anyCellPrice),
    ...limits,
  }),
) as fc.Arbitrary<PriceJson>

test('whatever is put into a field of a price, it is a price or refused with a reason', () => {
  const odd = fc.constantFrom<unknown>(
    'x',
    '-1',
    '1e3',
    '',
    7,
    null,
    [],
    {},
    '0',
    '99999999999999999999',
  )
  fc.assert(
    fc.property(anyPrice, fc.nat(20), odd, (json, at, value) => {
      const fields = Object.keys(json)
      const broken = { ...json, [fields[at % fields.length]!]: value }
      const tiers = 'tiers' in json ? json.tiers.map((tier) => ({ ...tier, up_to: value })) : []
      for (const price of [broken, { ...json, ...(tiers.length > 0 ? { tiers } : {}) }]) {
        try {
          parsePrice(price)
        } catch (error) {
          expect(error).toBeInstanceOf(DomainError)
        }
      }
    }),
  )
})

test('a price that is read, written and read again is the same price', () => {
  fc.assert(
    fc.property(anyPrice, (json) => {
      const written = priceJson(parsePrice(json))
      expect(priceJson(parsePrice(written))).toEqual(written)
      expect(Price.safeParse(JSON.parse(JSON.stringify(written))).success).toBe(true)
    }),
  )
})
