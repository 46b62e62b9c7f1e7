import { useTestDatabase } from '@billtrail/embedded/testing'
import { eventKey, isFault, parseDecimalText, parseEventDate, localClock } from '@billtrail/domain'
import fc from 'fast-check'
import { copyRows, eventsInto, makeIncoming } from '../storing/store.repo'
import { createCsvReader } from './csv-reader'
import { encodeCopy } from './encode-copy'
import { createBatch, type EventBatch, isPlain } from './event-batch'
import { fileOrder } from './sort-batch'

const database = useTestDatabase()
const NOW = Date.UTC(2026, 10, 21)

const decimals = fc.oneof(
  fc.stringMatching(/^[+-]?\d{1,18}$/),
  fc.stringMatching(/^[+-]?\d{0,6}\.\d{1,12}$/),
  fc.stringMatching(/^-?0{0,9}[1-9]0{0,16}$/),
  fc.constantFrom('0', '-0', '.5', '5.', '9999', '10000', '99999999.0001', '0.000000000001'),
)
// What JSON or hstore must escape, what they need not, and what looks like an escape.
const unit = fc.constantFrom(
  ...[
    '"',
    '\\',
    '/',
    '\b',
    '\u0001',
    '\u001f',
    '\u007f',
    '\u2028',
    'é',
    '🎈',
    'u0000',
    ' ',
    '{',
    ':',
    '=>',
    ',',
    'NULL',
  ],
)
const text = fc.oneof(
  fc.string({ unit, maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 8 }),
)
const event = fc.record({
  event_id: fc.oneof(fc.uuid(), fc.stringMatching(/^[a-z0-9é_.][a-z0-9é_.-]{0,30}$/)),
  event_date: fc
    .integer({ min: 0, max: NOW })
    .map((millis) => new Date(millis).toISOString().replace('Z', '789Z')),
  quantity: decimals,
  unit_price: fc.oneof(fc.constant(''), decimals),
  one: text,
  'two "quoted"\\': text,
})
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never
const COLUMNS = [
  'event_id',
  'event_date',
  'quantity',
  'unit_price',
  'one',
  'two "quoted"\\',
] as const

const quoted = (cell: string) => `"${cell.replaceAll('"', '""')}"`
// As exports do, so that what looks like a formula reads back as it was.
const guarded = (cell: string) => (/^'*[=+\-@\t\r]/.test(cell) ? `'${cell}` : cell)

function asCsv(events: readonly Event[]): string {
  const rows = events.map(({ one, ...rest }) =>
    COLUMNS.map((column) => {
      const value = { one, ...rest }[column]
      const isText = column === 'one' || column.startsWith('two')
      return quoted(isText ? guarded(value) : value)
    }).join(','),
  )
  const header = ['customer_id', 'event_type', ...COLUMNS].map(quoted).join(',')
  return [header, ...rows.map((row) => `acme,call,${row}`)].join('\n')
}

const canonical = (field: 'quantity' | 'unit_price', cell: string): string | null => {
  if (cell === '') return null
  const rule = parseDecimalText(field, cell)
  if (isFault(rule)) throw new Error(`${cell} is no decimal of ours.`)
  return rule.text
}

const micros = (date: string): string => {
  const rule = parseEventDate(date, {
    clock: localClock('UTC'),
    nowMicros: NOW * 1000,
    allowFuture: false,
  })
  if (isFault(rule)) throw new Error(`${date} is no date of ours.`)
  return String(rule.micros)
}

/** What the domain says of each event. */
const expected = (events: readonly Event[]) =>
  events.map((sent, at) => {
    const key = eventKey(sent.event_id)
    const entries = (['one', 'two "quoted"\\'] as const).map((name) => [name, sent[name]] as const)
    const filled = entries.filter(([, value]) => value !== '')
    return {
      customer_no: 7,
      event_type_no: 9,
      upload_no: 3,
      line: at + 2,
      event_key: key,
      event_id: key === sent.event_id ? null : sent.event_id,
      micros: micros(sent.event_date),
      quantity: canonical('quantity', sent.quantity === '' ? '1' : sent.quantity),
      unit_price: canonical('unit_price', sent.unit_price),
      properties: filled.length === 0 ? null : Object.fromEntries(filled),
    }
  })

/** Reads the file and sends its rows; answers the COPY bytes. */
function encode(file: string): Buffer[] {
  const batch = read(file)
  const order = fileOrder(batch, Int32Array.of(7))
  return [...encodeCopy(batch, order, { eventTypeNumbers: Int32Array.of(9), uploadNo: 3 })]
}

function read(file: string): EventBatch {
  const reader = createCsvReader({
    zone: 'UTC',
    now: NOW,
    onReject: (row) => {
      throw new Error(`${row.reason}: ${row.raw.toString()}`)
    },
  })
  const batch = createBatch(1_000)
  reader.write(Buffer.from(file))
  reader.end()
  reader.fill(batch)
  return batch
}

test('what is sent as COPY bytes is what PostgreSQL gives back, and would have made of the same text', async () => {
  const client = await database.pool().connect()
  const events = fc.array(event, { minLength: 1, maxLength: 40 }).filter((all) => {
    const lines = all.map((one) => `${one.one}${one['two "quoted"\\']}`)
    return lines.every((line) => !line.includes('\0') && !/[\r\n]/.test(line))
  })
  try {
    await fc.assert(
      fc.asyncProperty(events, async (all) => {
        await client.query('begin')
        await makeIncoming(client)
        await copyRows(client, eventsInto('incoming'), encode(asCsv(all)))
        const { rows } = await client.query(
          `select customer_no, event_type_no, upload_no, line, event_key, event_id,
             (extract(epoch from event_date) * 1000000)::bigint as micros, quantity, unit_price,
             hstore_to_json(properties) as properties
           from incoming order by line`,
        )
        expect(rows).toEqual(expected(all))
        // A number that only looks right would not compare, hash and be written out as its text's own.
        const odd = await client.query(
          `select line from incoming
           where numeric_send(quantity) <> numeric_send(quantity::text::numeric)
              or numeric_send(unit_price) <> numeric_send(unit_price::text::numeric)
              or hstore_send(properties) is distinct from hstore_send(properties::text::hstore)`,
        )
        expect(odd.rows).toEqual([])
        await client.query('rollback')
      }),
      { numRuns: 60, endOnFailure: true },
    )
  } finally {
    client.release(true)
  }
})

const row = (id: string, rest = '') => `c1,call,${id},2025-10-01T00:00:00Z${rest}\n`
const [FIRST, SECOND] = [
  '6ba7b810-9dad-41d1-80b4-00c04fd430c8',
  '00000000-0000-4000-8000-000000000001',
]

test('rows that only say who did what and when are stored as with all columns', async () => {
  const batch = read(`customer_id,event_type,event_id,event_date\n${row(FIRST)}${row(SECOND)}`)
  expect(isPlain(batch)).toBe(true)
  const order = fileOrder(batch, Int32Array.of(7))
  const options = { eventTypeNumbers: Int32Array.of(9), uploadNo: 3 }
  const client = await database.pool().connect()
  const stored = async (plain: boolean) => {
    await client.query('begin')
    await copyRows(
      client,
      eventsInto('events_1', plain),
      encodeCopy(batch, order, { ...options, plain }),
    )
    const { rows } = await client.query<object>('select * from events order by line')
    await client.query('rollback')
    return rows
  }
  try {
    const whole = await stored(false)
    expect(whole).toMatchObject([
      { event_key: FIRST, quantity: '1', properties: null },
      { event_key: SECOND, quantity: '1', properties: null },
    ])
    expect(await stored(true)).toEqual(whole)
  } finally {
    client.release(true)
  }
})

test.each([
  ['a quantity', ',quantity', row(FIRST, ',2')],
  ['a price', ',unit_price', row(FIRST, ',0.5')],
  ['a property', ',region', row(FIRST, ',eu')],
  ['an id that is no UUID', '', row('e1')],
])('a row with %s needs all columns', (_what, column, line) => {
  expect(isPlain(read(`customer_id,event_type,event_id,event_date${column}\n${line}`))).toBe(false)
})
