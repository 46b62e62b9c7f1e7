import { eventKeyBytes } from '@billtrail/domain'
import fc from 'fast-check'
import { parseString } from 'fast-csv'
import { readAll } from './testing/read-all'

const HEADER = 'customer_id,event_type,event_id,event_date'
const DATE = '2026-03-01T00:01:11.055Z'
const ID = '0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0'
const row = (id: string, rest = ''): string => `acme,api_call,${id},${DATE}${rest}`

test('a plain file gives every row with its line', () => {
  const { rows, rejects } = readAll([`${HEADER}\n${row(ID)}\r\n\n${row('evt_2')}`])
  expect(rejects).toEqual([])
  expect(rows).toEqual([
    {
      customerId: 'acme',
      eventType: 'api_call',
      key: ID.replaceAll('-', ''),
      micros: Date.parse(DATE) * 1000,
      line: 2,
      derived: false,
      quantity: '1',
      unitPrice: null,
      eventId: null,
      properties: null,
    },
    expect.objectContaining({
      line: 4,
      eventId: 'evt_2',
      key: eventKeyBytes('evt_2').toString('hex'),
    }),
  ])
})

test('quantity, price, name and properties are found under headers in any case and order', () => {
  const { rows } = readAll([
    `Region;EVENT_ID;Quantity;customer_ID; unit_price ;event_type;event_date;customer_name\n` +
      `"eu ""west""";e1;+01.50;acme;.015;call;${DATE};Acme Ltd\n` +
      `;e2;;acme;;call;${DATE};\n`,
  ])
  expect(rows).toMatchObject([
    { quantity: '1.5', unitPrice: '0.015', properties: { Region: 'eu "west"' } },
    { quantity: '1', unitPrice: null, properties: null },
  ])
})

test('four headerless columns are recognised by their date', () => {
  expect(
    readAll([`acme,call,e1,2021-03-01 00:01:11.055+00\nacme,call,e2,${DATE}\n`]).rows,
  ).toHaveLength(2)
})

test.each([
  ['a row with too few cells', 'acme,call', null, 'too_few_cells'],
  ['a row with too many cells', row('e1', ',x'), null, 'too_many_cells'],
  ['a missing customer', `,call,e1,${DATE}`, 'customer_id', 'missing_customer_id'],
  ['a missing type', `acme, ,e1,${DATE}`, 'event_type', 'missing_event_type'],
  ['a missing id', row(' '), 'event_id', 'missing_event_id'],
  ['a missing date', 'acme,call,e1,', 'event_date', 'missing_event_date'],
  ['30 February', 'acme,call,e1,2026-02-30T00:00:00Z', 'event_date', 'invalid_event_date'],
  [
    'a date two days ahead',
    'acme,call,e1,2026-11-23T00:00:00Z',
    'event_date',
    'event_date_out_of_range',
  ],
  ['a control character in an id', row('e\u0001'), 'event_id', 'invalid_event_id'],
  ['an id of 256 bytes', row('x'.repeat(256)), 'event_id', 'event_id_too_long'],
  ['text after a closing quote', row('"e"1'), null, 'text_after_quote'],
])(
  '%s is rejected with line, column and reason, and the next row is read',
  (_, bad, column, reason) => {
    const { rows, rejects, counts } = readAll([`${HEADER}\n${bad}\n${row('good')}\n`])
    expect(rejects).toEqual([{ line: 2, column, reason, raw: bad }])
    expect(rows).toMatchObject([{ line: 3, eventId: 'good' }])
    expect(counts).toMatchObject({ rows: 2, rejected: 1 })
  },
)

test('text that is not UTF-8 is a rejected row, never mojibake', () => {
  const bad = Buffer.concat([Buffer.from('M\xfcller', 'latin1'), Buffer.from(`,call,e1,${DATE}`)])
  const { rows, rejects } = readAll([
    `${HEADER}\n`,
    bad,
    `\n${row('good')}\nMüller,call,e2,${DATE}`,
  ])
  expect(rejects).toMatchObject([{ line: 2, column: null, reason: 'invalid_encoding' }])
  expect(rows.map(({ customerId }) => customerId)).toEqual(['acme', 'Müller'])
})

test('one stray quote costs one line, not the rest of the file', () => {
  const { rows, rejects } = readAll([
    `${HEADER}\n"acme,call,e1,${DATE}\n${row('e2')}\n${row('e3')}\n`,
  ])
  expect(rejects).toMatchObject([{ line: 2, reason: 'unclosed_quote' }])
  expect(rows.map(({ line }) => line)).toEqual([3, 4])
})

test('a tab or a line end in a name costs no row', () => {
  const named = `customer_name,${HEADER}\n"Ann\tLee\r\nLtd",${row('e1')}\nA\0nn,${row('e2')}\n`
  const { rows, rejects } = readAll([named])
  expect(rows).toMatchObject([{ line: 2, eventId: 'e1' }])
  expect(rejects).toMatchObject([{ column: 'customer_name', reason: 'invalid_customer_name' }])
})

test('lines inside quotes count', () => {
  const { rows } = readAll([`${HEADER},note\n${row('e1', ',"a\nb\r\nc\rd"')}\n${row('e2', ',')}\n`])
  expect(rows).toMatchObject([{ line: 2, properties: { note: 'a\nb\r\nc\rd' } }, { line: 6 }])
})

test.each(['utf16le', 'utf16be'] as const)(
  '%s with a byte order mark reads like UTF-8',
  (encoding) => {
    const bytes = Buffer.from(`\ufeff${HEADER}\nMüller🎈,call,e1,${DATE}\n`, 'utf16le')
    if (encoding === 'utf16be') bytes.swap16()
    const bytewise = Array.from(bytes, (byte) => Buffer.from([byte]))
    expect(readAll([bytes]).rows).toMatchObject([{ customerId: 'Müller🎈' }])
    expect(readAll(bytewise)).toEqual(readAll([bytes]))
  },
)

test('formulas that our exports neutralised read back as they were', () => {
  const { rows } = readAll([
    `${HEADER},note\n'=acme,call,''-e,${DATE},'+1\n'acme,call,e2,${DATE},'x\n`,
  ])
  expect(rows).toMatchObject([
    { customerId: '=acme', eventId: "'-e", properties: { note: '+1' } },
    { customerId: "'acme", eventId: 'e2', properties: { note: "'x" } },
  ])
})

test('a row over 1 MiB is rejected by its beginning and the next row is read', () => {
  const { rows, rejects } = readAll([`${HEADER}\n`, 'x'.repeat(3_000_000), `\n${row('e1')}\n`])
  expect(rejects).toMatchObject([{ line: 2, reason: 'row_too_long' }])
  expect(rejects[0]?.raw).toHaveLength(8192)
  expect(rows).toMatchObject([{ line: 3 }])
})

test.each([
  ['a missing column', 'customer_id,event_date\n', 'missing_columns'],
  ['a header that is there twice', `${HEADER},a,a\n`, 'duplicate_columns'],
  [
    'more than 200 columns',
    `${HEADER},${Array.from({ length: 200 }, (_, i) => `p${i}`).join(',')}\n`,
    'too_many_columns',
  ],
  ['an empty file', '\n\n', 'empty_file'],
])('%s refuses the file', (_, file, code) => {
  expect(() => readAll([file])).toThrow(expect.objectContaining({ code }) as Error)
})

test('foreign headers are mapped', () => {
  const { rows } = readAll([`ResourceId|Kind|Id|At|Cost\nr1|vm|e1|${DATE}|3\n`], {
    columns: {
      customer_id: 'resourceid',
      event_type: 'Kind',
      event_id: 'Id',
      event_date: 'At',
      quantity: 'Cost',
    },
  })
  expect(rows).toMatchObject([
    { customerId: 'r1', eventType: 'vm', quantity: '3', properties: null },
  ])
})

test('a reject file that was corrected reads without its extra columns', () => {
  const { rows } = readAll([
    `${HEADER},line,column,reason\n${row('e1', ',7,event_date,invalid_event_date')}\n`,
  ])
  expect(rows).toMatchObject([{ properties: null }])
})

test('rows without an id get the same derived key for the same content, however it is spelled', () => {
  const { rows } = readAll(
    [
      `customer_id,event_type,event_date,quantity,b,a\nacme,call,${DATE},1.0,x,y\n`,
      `acme,call,2026-03-01 01:01:11.055+01,01,x,y\nacme,call,${DATE},1,y,x\n`,
    ],
    { deriveIds: true },
  )
  expect(rows.map(({ derived }) => derived)).toEqual([true, true, true])
  expect(rows[0]?.key).toBe(rows[1]?.key)
  expect(rows[0]?.key).not.toBe(rows[2]?.key)
})

// Ids that are stored were made of these keys: a file that comes again after an upgrade must find its events.
test('the derived keys of rows are what they have always been', () => {
  const { rows } = readAll(
    [
      `customer_id,event_type,event_date,quantity,unit_price,region,Größe "x"\\y,a\n`,
      `acme,call,${DATE},1.50,,,,\n`,
      `acme,call,${DATE},,0.1,eu,,\n`,
      `acme,call,${DATE},,,"say ""hi"" \\ \n\t\u0001\u001f\u007f/",é 東京 🚀,'=1+1\n`,
    ],
    { deriveIds: true },
  )
  expect(rows.map(({ key }) => key)).toEqual([
    '2aa5cfa420818449b6f07855d7cb6141',
    'b02f91d5c68c81609b4844f5d6f820cc',
    'd14b5aa3da878f5a9a49da7d7db92daa',
  ])
})

const value = fc.oneof(
  fc.string({
    unit: fc.constantFrom('a', 'é', '🎈', '"', ',', ';', '\n', '\r\n', 'x', '-', '\\'),
    maxLength: 8,
  }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
)
const dialect = fc.record({
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  quoteAll: fc.boolean(),
  lastLineEnd: fc.boolean(),
})
const quoted = (text: string, delimiter: string, always: boolean): string =>
  always || /["\r\n]|^\s|\s$/.test(text) || text.includes(delimiter) || text === ''
    ? `"${text.replaceAll('"', '""')}"`
    : text

const file = fc
  .record({ dialect, notes: fc.array(fc.tuple(value, value), { minLength: 1, maxLength: 8 }) })
  .map(({ dialect: { delimiter, lineEnd, quoteAll, lastLineEnd }, notes }) => {
    const lines = [
      [...HEADER.split(','), 'one', 'two'],
      ...notes.map(([one, two], i) => ['acme', 'call', `e${i}`, DATE, one, two]),
    ].map((cells) => cells.map((cell) => quoted(cell, delimiter, quoteAll)).join(delimiter))
    return { delimiter, text: lines.join(lineEnd) + (lastLineEnd ? lineEnd : '') }
  })

function reference(text: string, delimiter: string): Promise<Record<string, string>[]> {
  return new Promise((resolve, reject) => {
    const rows: Record<string, string>[] = []
    parseString<Record<string, string>, Record<string, string>>(text, { headers: true, delimiter })
      .on('error', reject)
      .on('data', (data: Record<string, string>) => rows.push(data))
      .on('end', () => {
        resolve(rows)
      })
  })
}

test('every file gives the rows that fast-csv gives', async () => {
  const restored = (text: string): string => (/^'+[=+\-@\t\r]/.test(text) ? text.slice(1) : text)
  await fc.assert(
    fc.asyncProperty(file, async ({ text, delimiter }) => {
      const expected = (await reference(text, delimiter)).map(({ event_id, one, two }) => ({
        eventId: event_id,
        properties: Object.fromEntries(
          Object.entries({ one: one!, two: two! })
            .filter(([, note]) => note !== '')
            .map(([name, note]) => [name, restored(note)]),
        ),
      }))
      const { rows } = readAll([text])
      expect(
        rows.map(({ eventId, properties }) => ({ eventId, properties: properties ?? {} })),
      ).toEqual(expected)
    }),
    { numRuns: 300 },
  )
})

const pieces = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [
    0,
    ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b),
    bytes.length,
  ]
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end))
}

test('a file split anywhere gives the same as the whole file', () => {
  fc.assert(
    fc.property(
      file,
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      (f, cuts, capacity) => {
        const bytes = Buffer.from(f.text)
        expect(readAll(pieces(bytes, cuts), { capacity })).toEqual(readAll([bytes]))
      },
    ),
    { numRuns: 300 },
  )
})

test('a damaged file never stops the reader, every row has one fate, and splits change nothing', () => {
  const damage = fc.array(
    fc.tuple(fc.nat(), fc.constantFrom(0, 10, 13, 34, 44, 39, 0xff, 0xc3, 65)),
    { maxLength: 10 },
  )
  fc.assert(
    fc.property(
      file,
      damage,
      fc.array(fc.nat(), { maxLength: 6 }),
      ({ text, delimiter }, changes, cuts) => {
        const bytes = Buffer.from(text)
        const start = text.indexOf('\n') + 1
        for (const [at, byte] of changes)
          bytes[start + (at % Math.max(1, bytes.length - start))] = byte
        const options = { delimiter: delimiter as ',' }
        const whole = readAll([bytes], options)
        expect(whole.counts.rows).toBe(whole.rows.length + whole.rejects.length)
        expect(whole.counts.rejected).toBe(whole.rejects.length)
        expect({ ...readAll(pieces(bytes, cuts), options) }).toEqual(whole)
      },
    ),
    { numRuns: 500 },
  )
})
