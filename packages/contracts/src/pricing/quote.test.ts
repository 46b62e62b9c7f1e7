import { z } from 'zod'
import { createDocument } from 'zod-openapi'
import { parseQuote, quote } from './quote'
import { QuoteRequest, QuoteResponse } from './quote.schema'

const volume = {
  model: 'volume',
  tiers: [
    { up_to: '10', unit_price: '5.00' },
    { up_to: '20', unit_price: '4.00' },
    { up_to: null, unit_price: '3.00' },
  ],
}
const perUnit = { model: 'per_unit', unit_price: '1' }
const ask = (body: object) => quote(parseQuote(body))

test('a quote carries its arithmetic', () => {
  expect(ask({ price: volume, quantity: '15' })).toEqual(QuoteResponse.meta()?.['example'])
})

test('the documented request gives the documented answer', () => {
  expect(quote(parseQuote(QuoteRequest.meta()?.['example']))).toEqual(
    QuoteResponse.meta()?.['example'],
  )
})

test.each([
  { quantity: '10', amount: '50.00' },
  { quantity: '11', amount: '44.00' },
  { quantity: '20', amount: '80.00' },
  { quantity: '21', amount: '63.00' },
  { quantity: '0', amount: '0.00' },
  { quantity: '-15', amount: '-60.00' },
])('$quantity units are quoted at $amount', ({ quantity, amount }) => {
  expect(ask({ price: volume, quantity }).amount).toBe(amount)
})

test('amounts are rounded to the currency, and shown unrounded beside it', () => {
  const price = { ...perUnit, unit_price: '0.3335' }
  expect(ask({ currency: 'KWD', price, quantity: '1' })).toMatchObject({
    amount: '0.334',
    unrounded_amount: '0.3335',
    currency: 'KWD',
  })
  expect(ask({ currency: 'JPY', price, quantity: '3' }).amount).toBe('1')
})

test('each group is rated and rounded by itself', () => {
  const groups = ['eu', 'us'].map((region) => ({ properties: { region }, quantity: '1' }))
  const answer = ask({ price: { ...perUnit, unit_price: '0.005' }, groups })
  expect(answer).toMatchObject({ amount: '0.02', unrounded_amount: '0.01' })
  expect(answer.lines.map((line) => line.properties)).toEqual([{ region: 'eu' }, { region: 'us' }])
})

const matrix = {
  model: 'matrix',
  dimensions: ['region'],
  cells: [{ match: { region: 'eu' }, price: volume }],
  default: perUnit,
}

test('groups of a matrix are its combinations', () => {
  const groups = [
    { properties: { region: 'eu' }, quantity: '11' },
    { properties: { region: 'us' }, quantity: '2' },
  ]
  expect(ask({ price: matrix, groups }).amount).toBe('46.00')
})

test('events are quoted one by one where the price looks at them', () => {
  const events = [{ quantity: '100' }, { quantity: '1000' }, { quantity: '10000' }]
  const price = { model: 'percentage', rate: '1', min_per_event: '1.75', max_per_event: '12' }
  expect(ask({ price, events }).amount).toBe('23.75')
})

test("events' own prices are quoted", () => {
  const events = [
    { quantity: '58', unit_price: '0.05' },
    { quantity: '42', unit_price: '0.15' },
  ]
  expect(ask({ price: { model: 'dynamic' }, events }).amount).toBe('9.20')
})

test('a quantity left out is one', () => {
  expect(ask({ price: { model: 'dynamic' }, events: [{ unit_price: '14.99' }] }).amount).toBe(
    '14.99',
  )
})

const august = [
  { quantity: '2', event_date: '2023-08-01T00:00:00Z' },
  { quantity: '3', event_date: '2023-08-01T01:00:00Z' },
  { quantity: '1', event_date: '2023-08-01T01:30:00Z' },
  { quantity: '-4', event_date: '2023-08-01T02:00:00Z' },
  { quantity: '-2', event_date: '2023-08-01T04:00:00Z' },
  { quantity: '10', event_date: '2023-08-01T05:00:00Z' },
  { quantity: '-10', event_date: '2023-08-01T05:30:00Z' },
]

test.each([
  { meter: { aggregation: 'count' }, amount: '7.00' },
  { meter: { aggregation: 'max' }, amount: '10.00' },
  { meter: { aggregation: 'latest' }, amount: '-10.00' },
  { meter: { aggregation: 'weighted_sum' }, amount: '0.02' },
  { meter: { aggregation: 'weighted_sum', carried_in: '1000' }, amount: '1000.02' },
  { meter: { aggregation: 'sum', period: '2023-09' }, amount: '0.00' },
])('events are metered by $meter', ({ meter, amount }) => {
  expect(ask({ price: perUnit, events: august, meter }).amount).toBe(amount)
})

test('a meter filters and groups', () => {
  const events = ['eu', 'eu', 'us', 'ap'].map((region) => ({ properties: { region } }))
  const meter = {
    aggregation: 'count',
    filters: [{ property: 'region', equals: 'ap', not: true }],
    group_by: ['region'],
  }
  const { amount, lines } = ask({ price: perUnit, events, meter })
  expect(amount).toBe('3.00')
  expect(lines.map((line) => [line.properties, line.amount])).toEqual([
    [{ region: 'eu' }, '2'],
    [{ region: 'us' }, '1'],
  ])
})

test.each([
  { filter: { property: 'region', exists: true }, amount: '2.00' },
  { filter: { property: 'region', exists: false }, amount: '1.00' },
  { filter: { property: 'region', exists: false, not: true }, amount: '2.00' },
  { filter: { property: 'region', in: ['eu', 'ap'] }, amount: '1.00' },
  { filter: { property: 'region', in: ['eu', 'ap'], not: true }, amount: '2.00' },
])('$filter keeps $amount worth of events', ({ filter, amount }) => {
  const events = [{ properties: { region: 'eu' } }, { properties: { region: 'us' } }, {}]
  const meter = { code: 'regions', aggregation: 'count', filters: [filter] }
  expect(ask({ price: perUnit, events, meter }).amount).toBe(amount)
})

test('a flat price is prorated by days', () => {
  const proration = { from: '2026-01-10', to: '2026-02-01', period: '2026-01' }
  expect(ask({ price: { model: 'flat', amount: '31' }, proration }).amount).toBe('22.00')
})

test('ten to the fifteenth units at twelve places stay exact', () => {
  const price = { ...perUnit, unit_price: '1.000000000001' }
  expect(ask({ price, quantity: '1000000000000000' })).toMatchObject({
    amount: '1000000000001000.00',
    unrounded_amount: '1000000000001000',
  })
})

test.each([
  { what: 'no usage', body: { price: perUnit }, field: 'quantity' },
  { what: 'usage twice', body: { price: perUnit, quantity: '1', events: [] }, field: 'quantity' },
  { what: 'a number', body: { price: perUnit, quantity: 1 }, field: 'quantity' },
  {
    what: 'a meter without events',
    body: { price: perUnit, quantity: '1', meter: { aggregation: 'sum' } },
    field: 'meter',
  },
  {
    what: 'a date that does not exist',
    body: { price: perUnit, events: [{ event_date: '2026-02-30T00:00:00Z' }] },
    field: 'events[0].event_date',
  },
  {
    what: 'a weighted sum without dates',
    body: { price: perUnit, events: [{}], meter: { aggregation: 'weighted_sum' } },
    field: 'events[0].event_date',
  },
  {
    what: 'an event without the price a dynamic price needs',
    body: { price: { model: 'dynamic' }, events: [{ unit_price: '1' }, {}] },
    field: 'events[1].unit_price',
  },
  {
    what: 'a quantity of a dynamic price',
    body: { price: { model: 'dynamic' }, quantity: '5' },
    field: 'events',
  },
  {
    what: 'a fault in the price',
    body: { price: { model: 'volume', tiers: [{ up_to: '1', unit_price: '1' }] }, quantity: '1' },
    field: 'price.tiers[0].up_to',
  },
  { what: 'an unknown field', body: { price: perUnit, quantity: '1', qty: '2' }, field: 'qty' },
])('$what is refused, and named by its path', ({ body, field }) => {
  expect(() => ask(body)).toThrow(
    expect.objectContaining({
      code: 'invalid_quote',
      errors: [expect.objectContaining({ field })],
    }) as Error,
  )
})

test('a currency that does not exist is refused', () => {
  expect(() => ask({ currency: 'ABC', price: perUnit, quantity: '1' })).toThrow(
    expect.objectContaining({ code: 'unknown_currency' }) as Error,
  )
})

test('the schemas make an OpenAPI document with an example of each model', () => {
  const json = { 'application/json': { schema: QuoteRequest } }
  const answer = { 'application/json': { schema: QuoteResponse } }
  const document = createDocument({
    openapi: '3.1.0',
    info: { title: 'quotes', version: '1' },
    paths: {
      '/v1/prices/quote': {
        post: {
          requestBody: { content: json },
          responses: { '200': { description: 'The quote', content: answer } },
        },
      },
    },
  })
  const Named = z.record(z.string(), z.looseObject({ example: z.unknown().optional() }))
  const schemas = Named.parse(document.components?.schemas)
  const models = Object.entries(schemas).filter(([, schema]) => schema.example !== undefined)
  expect(models.map(([name]) => name)).toEqual(
    expect.arrayContaining([
      'PerUnitPrice',
      'VolumePrice',
      'GraduatedPrice',
      'PackagePrice',
      'PercentagePrice',
      'GraduatedPercentagePrice',
      'DynamicPrice',
      'FlatPrice',
      'MatrixPrice',
    ]),
  )
})
