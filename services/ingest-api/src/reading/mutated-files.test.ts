import { DomainError } from '@billtrail/domain'
import fc from 'fast-check'
import { createCsvReader } from './csv-reader'
import { COPY_COLUMNS, encodeCopy } from './encode-copy'
import { type EventBatch, clearBatch, createBatch, lineOf } from './event-batch'
import { createJsonReader } from './json-reader'
import { createNdjsonReader } from './ndjson-reader'
import { fileOrder } from './sort-batch'
import { readFields } from './testing/read-all'
import type { ReaderOptions, UsageReader } from './usage-reader'

const FILES = 10_000
const DATE = '2026-03-01T00:01:11.055Z'
const HEADER = 'customer_id,event_type,event_id,event_date,quantity,unit_price,customer_name,region'

const csv = [
  HEADER,
  `acme,call,e1,${DATE},1.50,0.015,Acme Ltd,eu`,
  `acme,call,0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0,2026-03-01 00:01:11.055+00,-2,,,"a ""b"", c"`,
  `Müller🎈,sms,e2,2026-03-01,,,"two\r\nlines",`,
  `beta,call,'=1+1,${DATE},+007.0,.5,,'+x`,
  '',
  `acme,call,e3,${DATE},123456789012.123456,,,last`,
].join('\n')
const json = (id: string) =>
  JSON.stringify({
    customer_id: 'Müller🎈',
    event_type: 'call',
    event_id: id,
    event_date: DATE,
    quantity: '1.50',
    properties: { region: 'a "b"\n', ok: 'yes' },
  })
const cloudEvent = JSON.stringify({
  specversion: '1.0',
  id: 'ce1',
  source: '/gateway',
  type: 'call',
  subject: 'acme',
  time: DATE,
  data: { quantity: 12.25, region: 'eu' },
})

interface Specimen {
  readonly bytes: Buffer
  readonly create: (options: ReaderOptions) => UsageReader
  readonly options?: Partial<ReaderOptions>
}
const asCsv = (text: string, options: Partial<ReaderOptions> = {}): Specimen => ({
  bytes: Buffer.from(text),
  create: createCsvReader,
  options,
})
const specimens: readonly Specimen[] = [
  asCsv(csv),
  asCsv(csv.replaceAll('\n', '\r\n'), { zone: 'Europe/Berlin' }),
  asCsv(`\ufeff${csv.replaceAll(',', ';')}`),
  asCsv(csv, { deriveIds: true, allowFuture: true }),
  asCsv(`acme,call,e1,${DATE}\nacme,call,e2,${DATE}\r\nbeta,sms,e3,2026-03-01\n`),
  asCsv(`Konto|Art|Nr|Wann\nacme|call|e1|${DATE}\nacme|call|e2|${DATE}\n`, {
    columns: { customer_id: 'konto', event_type: 'Art', event_id: 'Nr', event_date: 'Wann' },
  }),
  {
    bytes: Buffer.from(`\ufeff${csv}`, 'utf16le'),
    create: createCsvReader,
  },
  {
    bytes: Buffer.from(`${json('j1')}\n${cloudEvent}\r\n\n${json('j2')}\nnonsense\n${json('j3')}`),
    create: createNdjsonReader,
  },
  {
    bytes: Buffer.from(`[\n  ${json('a1')},\r\n${cloudEvent} , ${json('a2')}\n]\n`),
    create: createJsonReader,
  },
]

/** Bytes that mean something to one of the formats, and bytes that mean nothing anywhere. */
const token = fc.constantFrom(
  ...['"', '""', ',', ';', '\t', '|', '\n', '\r', '\r\n', '\\', '{', '}', '[', ']', ':', "'=", ' '],
  ...['\0', '\u0001', '\u007f', '\u0085', '\u2028', '\ufeff', 'e\u0301', '🎈', '__proto__', 'null'],
  ...['NaN', '1e999', '-', '+', '.', '0'.repeat(400), '9'.repeat(40), '-0.0000000000001', '٣'],
  ...[
    '2026-02-30',
    '9999-12-31T23:59:60Z',
    '1969-12-31T23:59:59Z',
    '0000',
    '24:00',
    'x'.repeat(5_000),
  ],
  ...['customer_id', 'event_date', 'line', '\ud800', 'event_id,event_id', ',,,,,,,,', '"\n"\n"'],
)
const bytes = fc.oneof(
  token.map((text) => Buffer.from(text)),
  fc
    .constantFrom([0xff], [0xc3], [0xfe, 0xff], [0xff, 0xfe], [0xed, 0xa0, 0x80], [0xf4, 0x90])
    .map((list) => Buffer.from(list)),
  fc.uint8Array({ minLength: 1, maxLength: 3 }).map((list) => Buffer.from(list)),
)
/** At a place, `drop` bytes are taken out (or kept, to say them twice) and others put in. */
const mutation = fc.record({
  at: fc.nat(),
  drop: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, fc.nat(3), fc.nat(300)),
  put: fc.oneof({ weight: 6, arbitrary: bytes }, fc.constant(null)),
})
const mutated = fc.record({
  specimen: fc.constantFrom(...specimens),
  mutations: fc.array(mutation, { minLength: 1, maxLength: 5 }),
  cuts: fc.array(fc.nat(), { maxLength: 3 }),
  capacity: fc.integer({ min: 1, max: 9 }),
})

function mutate(
  file: Buffer,
  mutations: readonly { at: number; drop: number; put: Buffer | null }[],
) {
  return mutations.reduce((now, { at, drop, put }) => {
    const place = at % (now.length + 1)
    const rest = now.subarray(Math.min(now.length, place + drop))
    // Without anything to put in, what was to be dropped is there twice.
    const middle = put ?? now.subarray(place, place + drop + drop)
    return Buffer.concat([now.subarray(0, place), middle, rest])
  }, file)
}

interface Seen {
  readonly batchLines: number[]
  readonly rejectLines: number[]
  refusal: string | null
}

/** The lines of the rows in a batch, after their bytes for the database were taken apart again. */
function encodedLines(batch: EventBatch, reader: UsageReader): number[] {
  const numbers = (size: number) => Int32Array.from({ length: size }, (_n, at) => at + 1)
  const order = fileOrder(batch, numbers(reader.customers.size))
  const eventTypeNumbers = numbers(reader.eventTypes.size)
  const copied = Buffer.concat([...encodeCopy(batch, order, { eventTypeNumbers, uploadNo: 1 })])
  let at = 0
  const lines: number[] = []
  while (at < copied.length) {
    expect(copied.readInt16BE(at)).toBe(COPY_COLUMNS.length)
    let end = at + 2
    for (let field = 0; field < COPY_COLUMNS.length; field++) {
      end += 4 + Math.max(0, copied.readInt32BE(end))
    }
    const fields = readFields(copied.subarray(at + 2, end), COPY_COLUMNS.length)
    lines.push(fields[5]!.readInt32BE())
    at = end
  }
  expect(lines).toEqual(Array.from(order, (row) => lineOf(batch, row)))
  return lines
}

function read(
  file: Buffer,
  { specimen, cuts, capacity }: { specimen: Specimen; cuts: readonly number[]; capacity: number },
) {
  const seen: Seen = { batchLines: [], rejectLines: [], refusal: null }
  const reader = specimen.create({
    zone: 'UTC',
    now: Date.UTC(2026, 10, 21),
    ...specimen.options,
    onReject: (row) => seen.rejectLines.push(row.line),
  })
  const batch = createBatch(capacity)
  const take = () => {
    seen.batchLines.push(...encodedLines(batch, reader))
    clearBatch(batch)
  }
  const drain = () => {
    while (reader.fill(batch)) take()
  }
  const places = [...cuts.map((cut) => cut % (file.length + 1)).sort((a, b) => a - b), file.length]
  try {
    places.forEach((end, at) => {
      reader.write(file.subarray(at === 0 ? 0 : places[at - 1], end))
      drain()
    })
    reader.end()
    drain()
    take()
  } catch (error) {
    // A file may be refused as a whole, in words; anything else is a crash.
    if (!(error instanceof DomainError)) throw error
    seen.refusal = error.code
  }
  return { ...seen, counts: reader.counts() }
}

test(`${FILES} mutated files: no crash, and every row is in a batch or rejected, once`, () => {
  const tally = { refused: 0, stored: 0, rejected: 0 }
  fc.assert(
    fc.property(mutated, ({ specimen, mutations, cuts, capacity }) => {
      const file = mutate(specimen.bytes, mutations)
      const { batchLines, rejectLines, refusal, counts } = read(file, { specimen, cuts, capacity })
      if (refusal !== null) {
        tally.refused++
        return
      }
      tally.stored += batchLines.length
      tally.rejected += rejectLines.length
      expect(counts.rows).toBe(batchLines.length + rejectLines.length)
      expect(counts.rejected).toBe(rejectLines.length)
      // A line begins one row at most, so none was seen twice.
      expect(new Set([...batchLines, ...rejectLines]).size).toBe(counts.rows)
      expect(read(file, { specimen, cuts: [], capacity: 100 })).toMatchObject({
        batchLines,
        rejectLines,
        refusal,
      })
    }),
    { numRuns: FILES },
  )
  // The mutations must leave enough to read, and break enough.
  expect(tally.refused).toBeLessThan(FILES / 2)
  expect(tally.stored).toBeGreaterThan(FILES)
  expect(tally.rejected).toBeGreaterThan(FILES / 2)
}, 60_000)
