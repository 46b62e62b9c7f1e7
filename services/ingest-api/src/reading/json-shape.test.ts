import fc from 'fast-check'
import { readAll } from './testing/read-all'

/** What a value may look like in JSON, right and wrong ones. */
const written = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('"c1"', '"é"', '"2026-03-01T00:00:00Z"', '"1"', '"0.50"'),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('1', '-0', '1.50', '12345678.123456789', '1e3', '01', '1.'),
  },
  fc.constantFrom('true', 'false', 'null', '""', '" "', '{}', '[]', 'nul', '"a\\u0041"', '"a\\n"'),
  fc.constantFrom('"\\ud800"', '"\u007f"', '"tab\t"', '" c2 "', '"2026-03-01"', '{"a":"1"}', '"'),
)
const GOOD: Readonly<Record<string, string>> = {
  customer_id: '"acme"',
  event_type: '"call"',
  event_id: '"e1"',
  event_date: '"2026-03-01T00:00:00+01:00"',
  quantity: '2.50',
  unit_price: '"0.1"',
  region: '"eu"',
  'a "b"': '"x"',
}
const name = fc.constantFrom(...Object.keys(GOOD), 'customer_name', 'specversion', '__proto__', '1')
const changes = fc.array(fc.record({ name, value: written, again: fc.boolean() }), { maxLength: 2 })

const member = (key: string, value: string) => `${JSON.stringify(key)}: ${value}`

/** One event as it is written: all in one order, with some values changed or a name given twice. */
function eventText(given: {
  keys: string[]
  inside: string[]
  changed: { name: string; value: string; again: boolean }[]
}) {
  const flat = given.keys.map((key): [string, string] => [key, GOOD[key] ?? '"y"'])
  for (const { name, value, again } of given.changed) {
    const at = flat.findIndex(([key]) => key === name)
    if (at >= 0 && !again) flat[at] = [name, value]
    else flat.push([name, value])
  }
  const members = flat.map(([key, value]) => member(key, value))
  if (given.inside.length > 0) {
    members.push(`"properties":{${given.inside.map((key) => member(key, '"p"')).join(',')}}`)
  }
  return `{${members.join(',')}}`
}

const REQUIRED = ['customer_id', 'event_type', 'event_id', 'event_date']

test('an event that is written like the one before is read as it would be by itself', () => {
  const sender = fc.record({
    keys: fc
      .shuffledSubarray(Object.keys(GOOD))
      .map((keys) => [...new Set([...keys, ...REQUIRED])]),
    inside: fc.uniqueArray(fc.constantFrom('host', 'zone', 'region', 'quantity'), { maxLength: 2 }),
    events: fc.array(changes, { minLength: 1, maxLength: 6 }),
  })
  fc.assert(
    fc.property(sender, ({ keys, inside, events }) => {
      const lines = [[], ...events, []].map((changed) => eventText({ keys, inside, changed }))
      const strip = ({ rows, rejects }: ReturnType<typeof readAll>) => ({
        rows: rows.map((row) => ({ ...row, line: 0 })),
        rejects: rejects.map((reject) => ({ ...reject, line: 0 })),
      })
      const together = strip(readAll([lines.join('\n')], { format: 'ndjson' }))
      // Nothing has been learned before a first event: it is parsed.
      const alone = lines.map((line) => strip(readAll([line], { format: 'ndjson' })))
      expect(together).toEqual({
        rows: alone.flatMap(({ rows }) => rows),
        rejects: alone.flatMap(({ rejects }) => rejects),
      })
    }),
    { numRuns: 400 },
  )
})

test('what follows an event on its line makes it no JSON', () => {
  const event = (id: string) =>
    eventText({
      keys: REQUIRED,
      inside: [],
      changed: [{ name: 'event_id', value: `"${id}"`, again: false }],
    })
  const { rows, rejects } = readAll(
    [
      [
        event('e1'),
        `${event('e2')} x`,
        `${event('e3')},`,
        `${event('e4')}  `,
        event('e5').slice(0, -1),
      ].join('\n'),
    ],
    { format: 'ndjson' },
  )
  expect(rows.map((row) => row.eventId)).toEqual(['e1', 'e4'])
  expect(rejects.map((reject) => [reject.line, reject.reason])).toEqual([
    [2, 'invalid_json'],
    [3, 'invalid_json'],
    [5, 'invalid_json'],
  ])
})

test('of properties that are given twice the last ones count, also the second time', () => {
  const line = (id: string) =>
    `{"event_id":"${id}",${['customer_id', 'event_type', 'event_date'].map((key) => member(key, GOOD[key]!)).join(',')},"properties":{"a":"1"},"properties":{"b":"2"}}`
  const { rows } = readAll([`${line('e1')}\n${line('e2')}`], { format: 'ndjson' })
  expect(rows.map((row) => row.properties)).toEqual([{ b: '2' }, { b: '2' }])
})
