import { propertyNameFault } from '@billtrail/domain'
import fc from 'fast-check'
import type { Answer, IngestClient } from '../testing/ingest-client'
import { useIngestApi } from '../testing/use-ingest-api'

const api = useIngestApi()

type Properties = Readonly<Record<string, string>>

// What JSON, CSV or hstore have to escape, what looks like an escape, and what a spreadsheet would take for a formula.
const unit = fc.constantFrom(
  ...[
    'a',
    'B',
    '7',
    '"',
    '""',
    '\\',
    '\\"',
    "'",
    ',',
    ';',
    '=',
    '>',
    '=>',
    '+',
    '-',
    '@',
    '{',
    '}',
  ],
  ...[
    ':',
    '(',
    ')',
    ' ',
    '/',
    '\u0085',
    '\u2028',
    'é',
    'e\u0301',
    '東京',
    '🎈',
    '\ufffd',
    'NULL',
    '$1',
  ],
)
const control = fc.constantFrom('\n', '\r\n', '\r', '\t', '\u0001', '\u001f', '\u007f', '\b')
// A header is trimmed, and one of our own columns is found in any case.
const name = fc
  .oneof(fc.string({ unit, minLength: 1, maxLength: 12 }), fc.constantFrom('__proto__', '10', '9'))
  .filter((text) => text === text.trim() && propertyNameFault(text.toLowerCase()) === null)
const value = fc.oneof(
  fc.string({ unit: fc.oneof(unit, control), minLength: 1, maxLength: 12 }),
  fc.constantFrom(' ', 'null', 'true', '0.10', '"a"=>"b"', '{"a": 1}', 'x'.repeat(8 * 1024)),
)
const properties = fc
  .uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 6 })
  .map((entries): Properties => Object.fromEntries(entries))

const KEY = { customer_id: 'acme', event_type: 'call', event_date: '2025-10-01T00:00:00Z' }
const NDJSON = { 'content-type': 'application/x-ndjson' }

const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`
// As exports do: else a quote mark before a formula would be taken for theirs.
const guarded = (cell: string) => (/^'*[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell)
function csvOf(eventId: string, given: Properties): string {
  const cells = Object.entries({ ...KEY, event_id: eventId })
  for (const [key, text] of Object.entries(given)) cells.push([guarded(key), guarded(text)])
  return [cells.map(([key]) => quoted(key)), cells.map(([, text]) => quoted(text))].join('\n')
}

/** Each way in; says what became of the event. */
const doors: readonly ((client: IngestClient, id: string, given: Properties) => Promise<string>)[] =
  [
    async (client, event_id, given) =>
      (await client.postEvents({ ...KEY, event_id, properties: given })).results[0]!.status,
    async (client, event_id, given) => fateOf(await client.upload(csvOf(event_id, given))),
    async (client, event_id, given) => {
      const line = JSON.stringify({ ...KEY, event_id, properties: given })
      return fateOf(await client.upload(line, '', NDJSON))
    },
  ]
function fateOf(upload: { accepted: number; duplicates: number; conflicts: number }): string {
  if (upload.accepted + upload.duplicates + upload.conflicts !== 1) return 'rejected'
  return upload.accepted === 1 ? 'accepted' : upload.duplicates === 1 ? 'duplicate' : 'conflict'
}

/** As every answer shows them: short names first, then by their bytes. */
const shown = (given: Properties): string =>
  JSON.stringify(
    Object.fromEntries(
      Object.entries(given)
        .map(([key, text]) => ({ bytes: Buffer.from(key), entry: [key, text] as const }))
        .sort((a, b) => a.bytes.length - b.bytes.length || Buffer.compare(a.bytes, b.bytes))
        .map(({ entry }) => entry),
    ),
  )

/** The properties of each row of an answer, as text; not parsed with its schema, which leaves out `__proto__`. */
function propertiesIn({ body }: Answer, of?: 'stored' | 'sent'): string[] {
  interface Shown {
    readonly properties: Properties
  }
  const { data } = body as { data: (Shown & Record<'stored' | 'sent', Shown>)[] }
  return data.map((row) => JSON.stringify((of === undefined ? row : row[of]).properties))
}

test('properties come out as they went in, by every door, and say the same by any other', async () => {
  await fc.assert(
    fc.asyncProperty(properties, async (given) => {
      const client = await api.addClient()
      for (const [at, door] of doors.entries()) {
        expect(await door(client, `e${at}`, given)).toBe('accepted')
        for (const other of doors) expect(await other(client, `e${at}`, given)).toBe('duplicate')
      }
      const answer = await client.call('GET', '/v1/events')
      expect(propertiesIn(answer)).toEqual(doors.map(() => shown(given)))
      const csv = { headers: { accept: 'text/csv' } }
      const exported = await client.call('GET', '/v1/events', csv)
      const other = await api.addClient()
      await other.upload(exported.text)
      expect(propertiesIn(await other.call('GET', '/v1/events'))).toEqual(propertiesIn(answer))
    }),
    { numRuns: 12, endOnFailure: true },
  )
})

test('an event with other properties is a conflict, which shows those that are stored and those that were sent', async () => {
  const pair = fc.tuple(properties, properties).filter(([a, b]) => shown(a) !== shown(b))
  await fc.assert(
    fc.asyncProperty(pair, async ([stored, sent]) => {
      const client = await api.addClient()
      for (const [at, door] of doors.entries()) {
        expect(await door(client, `e${at}`, stored)).toBe('accepted')
        for (const other of doors) expect(await other(client, `e${at}`, sent)).toBe('conflict')
      }
      for (const upload of await client.uploads()) {
        if (upload.conflicts === 0) continue
        const answer = await client.call('GET', `/v1/uploads/${upload.id}/conflicts`)
        expect(propertiesIn(answer, 'stored')).toEqual([shown(stored)])
        expect(propertiesIn(answer, 'sent')).toEqual([shown(sent)])
      }
    }),
    { numRuns: 6, endOnFailure: true },
  )
})

test('the largest event that is allowed is stored whole', async () => {
  const client = await api.addClient()
  const given = Object.fromEntries(
    Array.from({ length: 64 }, (_property, at) => [
      `${at}-`.padEnd(100, 'n'),
      `${at}`.padEnd(4 * 1024, '"').padEnd(8 * 1024, 'x'),
    ]),
  )
  expect(await doors[0]!(client, 'e0', given)).toBe('accepted')
  expect(await doors[2]!(client, 'e2', given)).toBe('accepted')
  for (const event of await client.events()) expect(event.properties).toEqual(given)
})
