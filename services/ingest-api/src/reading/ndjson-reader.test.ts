import { eventFromJson } from './event-from-json'
import { parseExactJson } from './parse-exact-json'
import { readAll } from './testing/read-all'

const ours = {
  customer_id: 'acme',
  event_type: 'call',
  event_id: 'e1',
  event_date: '2026-03-01T00:00:00Z',
}

test('each line is an event, with its line; numbers keep every digit', () => {
  const { rows, rejects } = readAll(
    [
      `${JSON.stringify(ours)}\r\n\n{"customer_id":"acme","event_type":"call","event_id":"e2",`,
      `"event_date":"2026-03-01T00:00:00Z","quantity":12345678.123456789,"unit_price":1e-7,"region":"é\\n","ok":true,"none":null}\n`,
      `nonsense\n{"customer_id":1,"event_type":"call"}\n[]`,
    ],
    { format: 'ndjson' },
  )
  expect(rows).toMatchObject([
    { line: 1, quantity: '1', eventId: 'e1', properties: null },
    {
      line: 3,
      quantity: '12345678.123456789',
      unitPrice: '0.0000001',
      properties: { region: 'é\n', ok: 'true' },
    },
  ])
  expect(rejects).toMatchObject([
    { line: 4, column: null, reason: 'invalid_json', raw: 'nonsense' },
    { line: 5, reason: 'missing_event_date' },
    { line: 6, reason: 'not_an_object' },
  ])
})

test('bytes arriving one by one change nothing', () => {
  const text = `${JSON.stringify(ours)}\n${JSON.stringify({ ...ours, event_id: 'é2', quantity: '2' })}`
  const options = { format: 'ndjson', capacity: 1 } as const
  expect(
    readAll(
      Array.from(Buffer.from(text), (byte) => Buffer.from([byte])),
      options,
    ),
  ).toEqual(readAll([text], options))
})

test('a line over 1 MiB is rejected and the next one is read', () => {
  const { rows, rejects } = readAll([`"${'x'.repeat(2_500_000)}"\n`, JSON.stringify(ours)], {
    format: 'ndjson',
  })
  expect(rejects).toMatchObject([{ line: 1, reason: 'row_too_long' }])
  expect(rows).toMatchObject([{ line: 2 }])
})

test('a CloudEvent is read by its envelope and its flat data', () => {
  const event = {
    specversion: '1.0',
    id: 'e1',
    source: '/gateway',
    type: 'call',
    subject: 'acme',
    time: '2026-03-01T00:00:00Z',
    data: { quantity: '2.50', region: 'eu' },
  }
  expect(eventFromJson(event)).toEqual({
    known: {
      event_id: 'e1',
      customer_id: 'acme',
      event_type: 'call',
      event_date: '2026-03-01T00:00:00Z',
      quantity: '2.50',
    },
    properties: [['region', 'eu']],
  })
  expect(eventFromJson({ ...event, subject: null, data: { customer_id: 'beta' } })).toMatchObject({
    known: { customer_id: 'beta' },
  })
})

test.each([
  ['a nested property', { ...ours, properties: { a: {} } }, 'nested_property', 'a'],
  [
    'a property with one of our names',
    { ...ours, properties: { quantity: '1' } },
    'reserved_property_name',
    'quantity',
  ],
  [
    'a property given twice',
    { ...ours, a: '1', properties: { a: '2' } },
    'duplicate_property',
    'a',
  ],
  [
    'a number that a float has rounded',
    { ...ours, quantity: 0.1 + 0.2 },
    'invalid_quantity',
    'quantity',
  ],
])('%s is refused by name', (_, value, reason, field) => {
  expect(eventFromJson(value)).toEqual({ reason, field })
})

test('numbers are parsed as they are written, and what is no JSON stays none', () => {
  expect(parseExactJson('{"a":[1.10,-0,2E+2,"3e5\\"4",12e-3],"b":true}')).toEqual({
    a: ['1.10', '-0', '200', '3e5"4', '0.012'],
    b: true,
  })
  for (const text of ['01', '1 2', '{"a":1.}', '{1:2}', '-', '"', '']) {
    expect([text, typeof tryParse(text)]).toEqual([text, 'undefined'])
  }
})

function tryParse(text: string): unknown {
  try {
    return parseExactJson(text)
  } catch {
    return undefined
  }
}
