import { createCsvReader } from '../csv-reader'
import {
  CUSTOMER,
  DERIVED,
  EVENT_TYPE,
  type EventBatch,
  KEY,
  LINE,
  MICROS,
  ROW_FLOATS,
  ROW_WORDS,
  TAIL_END,
  TAIL_START,
  clearBatch,
  createBatch,
} from '../event-batch'
import { createJsonReader } from '../json-reader'
import { createNdjsonReader } from '../ndjson-reader'
import type { ReadCounts, ReaderOptions, RejectedRow, UsageReader } from '../usage-reader'

export interface ReadRow {
  readonly customerId: string
  readonly eventType: string
  readonly key: string
  readonly micros: number
  readonly line: number
  readonly derived: boolean
  readonly quantity: string | null
  readonly unitPrice: string | null
  readonly eventId: string | null
  readonly properties: unknown
}

export interface ReadAll {
  readonly rows: ReadRow[]
  readonly rejects: (Omit<RejectedRow, 'raw' | 'message'> & { readonly raw: string })[]
  readonly counts: ReadCounts
}

type TestOptions = Partial<Omit<ReaderOptions, 'onReject'>> & {
  capacity?: number
  format?: 'ndjson' | 'json'
}

/** Reads the chunks as one file and takes every row apart again, in the order of the file. */
export function readAll(
  chunks: readonly (string | Uint8Array)[],
  { capacity = 1000, format, ...options }: TestOptions = {},
): ReadAll {
  const rejects: ReadAll['rejects'] = []
  const create = { csv: createCsvReader, ndjson: createNdjsonReader, json: createJsonReader }[
    format ?? 'csv'
  ]
  const reader = create({
    zone: 'UTC',
    now: Date.UTC(2026, 10, 21),
    ...options,
    onReject: ({ line, column, reason, raw }) =>
      rejects.push({ line, column, reason, raw: raw.toString('latin1') }),
  })
  const batch = createBatch(capacity)
  const rows: ReadRow[] = []
  const drain = (): void => {
    while (reader.fill(batch)) take(batch, reader, rows)
  }
  for (const chunk of chunks) {
    reader.write(Buffer.from(chunk as Uint8Array))
    drain()
  }
  reader.end()
  drain()
  take(batch, reader, rows)
  return { rows, rejects, counts: reader.counts() }
}

function take(batch: EventBatch, reader: UsageReader, rows: ReadRow[]): void {
  for (let row = 0; row < batch.size; row++) rows.push(rowOf(batch, reader, row))
  clearBatch(batch)
}

function rowOf(batch: EventBatch, { customers, eventTypes }: UsageReader, row: number): ReadRow {
  const key = [0, 1, 2, 3]
    .map((i) => batch.unsigned[ROW_WORDS * row + KEY + i]!.toString(16).padStart(8, '0'))
    .join('')
  const [quantity, unitPrice, eventId, properties] = readFields(
    batch.tails.subarray(
      batch.words[ROW_WORDS * row + TAIL_START],
      batch.words[ROW_WORDS * row + TAIL_END],
    ),
    4,
  )
  return {
    customerId: customers.text(batch.words[ROW_WORDS * row + CUSTOMER]!),
    eventType: eventTypes.text(batch.words[ROW_WORDS * row + EVENT_TYPE]!),
    key,
    micros: batch.floats[ROW_FLOATS * row + MICROS]!,
    line: batch.words[ROW_WORDS * row + LINE]!,
    derived: batch.words[ROW_WORDS * row + DERIVED] === 1,
    quantity: quantity ? readNumeric(quantity) : null,
    unitPrice: unitPrice ? readNumeric(unitPrice) : null,
    eventId: eventId ? eventId.toString('utf8') : null,
    properties: properties ? readHstore(properties) : null,
  }
}

/** The fields of a binary COPY row; the bytes must hold exactly so many. */
export function readFields(bytes: Buffer, count: number): (Buffer | null)[] {
  let at = 0
  const fields: (Buffer | null)[] = []
  for (let field = 0; field < count; field++) {
    const length = bytes.readInt32BE(at)
    at += 4
    fields.push(length < 0 ? null : bytes.subarray(at, at + length))
    at += Math.max(0, length)
  }
  if (at !== bytes.length) throw new Error(`${bytes.length - at} bytes follow the last field.`)
  return fields
}

/** A binary hstore: how many pairs there are, and these. */
function readHstore(bytes: Buffer): Record<string, string> {
  const count = bytes.readInt32BE(0)
  const texts = readFields(bytes.subarray(4), 2 * count).map((text) => text!.toString('utf8'))
  return Object.fromEntries(
    Array.from({ length: count }, (_pair, at) => [texts[2 * at]!, texts[2 * at + 1]!]),
  )
}

/** A binary numeric as text, by PostgreSQL's own reading of it: groups of four digits, weight, places. */
export function readNumeric(bytes: Buffer): string {
  const groups = bytes.readInt16BE(0)
  const weight = bytes.readInt16BE(2)
  const places = bytes.readInt16BE(6)
  if (bytes.length !== 8 + 2 * groups)
    throw new Error('The numeric has another length than it says.')
  let scaled = 0n
  for (let i = 0; i < groups; i++) {
    const value = bytes.readInt16BE(8 + 2 * i)
    if (value < 0 || value > 9999) throw new Error('A group is no four digits.')
    // 16 places hold all the groups a number of 12 places has.
    scaled += BigInt(value) * 10n ** BigInt(16 + 4 * (weight - i))
  }
  const digits = scaled.toString().padStart(17, '0')
  const text = `${digits.slice(0, -16)}.${digits.slice(-16, digits.length - 16 + places)}`
  const sign = bytes.readUInt16BE(4) === 0x4000 ? '-' : ''
  return sign + (places === 0 ? text.slice(0, -1) : text)
}
