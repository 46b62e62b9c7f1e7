import fc from 'fast-check'
import { parseExactJson } from '../reading'
import { createBatchPool } from './batch-pool'
import { readSentEvents } from './read-sent-events'
import { writeEventResults } from './write-event-results'

const read = (body: string | Buffer, isLines = false) =>
  readSentEvents({ bytes: Buffer.from(body), isLines }, { zone: 'UTC', batches: createBatchPool() })

/** What the sender is told when all that was read is new. */
const told = (body: string | Buffer, isLines = false): unknown =>
  (JSON.parse(writeEventResults(read(body, isLines), new Map()).toString()) as { results: unknown })
    .results

const event = (id: string, more: object = {}) => ({
  customer_id: 'acme',
  event_type: 'call',
  event_id: id,
  event_date: '2025-10-01T00:00:00Z',
  ...more,
})

/** The same events, each in a request of its own: so none is read like the one before it. */
function oneByOne(body: string): unknown {
  const value = parseExactJson(body)
  const events: unknown[] = Array.isArray(value) ? value : [value]
  return events.map((single, index) => {
    const [result] = told(JSON.stringify([single])) as object[]
    return { ...result, index }
  })
}

const outcomeOf = (answer: () => unknown): unknown => {
  try {
    return answer()
  } catch (error) {
    return (error as { code?: string }).code ?? 'malformed_json'
  }
}

test('an array is answered as its events are one by one, wherever it is cut or changed', () => {
  const values = fc.constantFrom<unknown>('1', 2, 1.5, null, true, 'é "x" \\', { a: 'b' }, [])
  const events = fc.array(
    fc.record({ id: fc.constantFrom('e1', ' e2 ', 'é', '"', ''), more: values, count: fc.nat(2) }),
    { minLength: 1, maxLength: 5 },
  )
  const damage = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    put: fc.constantFrom('', ',', ']', '[', '}', '{', '"', '\\', ' ', '1', 'x'),
    drop: fc.nat(2),
    isDamaged: fc.boolean(),
  })
  fc.assert(
    fc.property(events, damage, fc.nat(2), (given, { at, put, drop, isDamaged }, indent) => {
      const text = JSON.stringify(
        given.map(({ id, more, count }) =>
          event(id, count === 0 ? {} : count === 1 ? { more } : { properties: { more } }),
        ),
        null,
        indent,
      )
      const place = Math.floor(at * text.length)
      const body = isDamaged ? text.slice(0, place) + put + text.slice(place + drop) : text
      const expected = outcomeOf(() => oneByOne(body))
      // Of an empty array nothing is left to be answered one by one.
      if (Array.isArray(expected) && expected.length === 0) return
      expect(outcomeOf(() => told(body))).toEqual(expected)
    }),
    { numRuns: 1_000 },
  )
})

test('ids come back as they were read: without the blanks around them, with their quotes and accents', () => {
  const ids = ['e1', '  e2\t', 'é', 'a "b" \\', '\u007e', 'e1', '7']
  const body = JSON.stringify(ids.map((id) => event(id, { customer_id: ` ${id.trim()}x ` })))
  expect(told(body)).toEqual(
    ids.map((id, index) => ({
      index,
      status: 'accepted',
      customer_id: `${id.trim()}x`,
      event_id: id.trim(),
    })),
  )
})

test('a byte order mark, blanks and line ends of any kind change nothing', () => {
  const [first, second] = [JSON.stringify(event('e1')), JSON.stringify(event('e2'))]
  const expected = told(`[${first},${second}]`)
  expect(told(`\ufeff [ ${first} ,\r\n\t${second} ] \n`)).toEqual(expected)
  for (const end of ['\n', '\r\n', '\r', '\n\n \u00a0\n']) {
    expect(told(`\ufeff${first}${end} ${second} ${end}`, true)).toEqual(expected)
  }
})

test('a batch that is used again holds nothing of the request before', () => {
  const batches = createBatchPool()
  const readWith = (events: object[]) =>
    readSentEvents(
      { bytes: Buffer.from(JSON.stringify(events)), isLines: false },
      { zone: 'UTC', batches },
    )
  const before = readWith([event('e1', { quantity: 2 }), event('e2'), event('e3')])
  expect(before.batch.size).toBe(3)
  batches.putBack(before.batch)
  const after = readWith([event('e4'), event('e5'), event('e6', { quantity: 'x' })])
  expect(after.batch).toBe(before.batch)
  expect(after.batch.size).toBe(2)
  expect([...after.refusals]).toEqual([[2, { reason: 'invalid_quantity', column: 'quantity' }]])
})
