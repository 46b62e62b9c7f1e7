import fc from 'fast-check'
import { readAll } from './testing/read-all'

const event = (id: string, more: object = {}) => ({
  customer_id: 'acme',
  event_type: 'call',
  event_id: id,
  event_date: '2026-03-01T00:00:00Z',
  ...more,
})
const read = (text: string) => readAll([text], { format: 'json' })

test('the events of an array are read, each with its position', () => {
  const { rows, rejects } = read(
    JSON.stringify([event('e1'), 5, event('e2', { quantity: '2.50' })]),
  )
  expect(rows).toMatchObject([
    { line: 1, eventId: 'e1' },
    { line: 3, eventId: 'e2', quantity: '2.5' },
  ])
  expect(rejects).toMatchObject([{ line: 2, reason: 'not_an_object' }])
})

test('line ends and brackets inside elements split nothing', () => {
  const text = JSON.stringify(
    [event('e1', { properties: { a: '}],{["\\' } }), event('e2')],
    null,
    2,
  )
  expect(read(`\ufeff${text}\r\n`).rows).toMatchObject([
    { line: 1, properties: { a: '}],{["\\' } },
    { line: 2, eventId: 'e2' },
  ])
})

test('one event alone, or one after the other, is read as well', () => {
  expect(read(JSON.stringify(event('e1'), null, 1)).rows).toMatchObject([{ line: 1 }])
  expect(read(`${JSON.stringify(event('e1'))}\n${JSON.stringify(event('e2'))}`).rows).toHaveLength(
    2,
  )
})

test('a missing element is a rejected row, and an empty array has none', () => {
  expect(read('[]').counts.rows).toBe(0)
  const { rows, rejects } = read(
    `[${JSON.stringify(event('e1'))},nonsense,${JSON.stringify(event('e2'))}]`,
  )
  expect(rows).toMatchObject([{ line: 1 }, { line: 3 }])
  expect(rejects).toMatchObject([{ line: 2, reason: 'invalid_json', raw: 'nonsense' }])
})

test('an array that is not closed is refused as a whole', () => {
  const text = JSON.stringify([event('e1'), event('e2')])
  for (const cut of [text.length - 1, text.length - 2, 20, 1]) {
    expect(() => read(text.slice(0, cut))).toThrow(
      expect.objectContaining({ code: 'unclosed_json' }) as Error,
    )
  }
})

test('however the bytes are split and the text is indented, the same rows are read', () => {
  const values = fc.array(fc.record({ id: fc.uuid(), text: fc.string() }), { maxLength: 6 })
  fc.assert(
    fc.property(
      values,
      fc.nat(4),
      fc.array(fc.nat(400), { maxLength: 6 }),
      (given, indent, cuts) => {
        const events = given.map(({ id, text }) =>
          event(id, { properties: { text: `x${text}`.replaceAll('\0', '') } }),
        )
        const bytes = Buffer.from(JSON.stringify(events, null, indent))
        const places = [
          0,
          ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b),
          bytes.length,
        ]
        const chunks = places.slice(1).map((place, i) => bytes.subarray(places[i], place))
        const { rows } = readAll(chunks, { format: 'json' })
        expect(rows.map((row) => row.properties)).toEqual(
          given.map(({ text }) => ({ text: `x${text}`.replaceAll('\0', '') })),
        )
      },
    ),
  )
})
