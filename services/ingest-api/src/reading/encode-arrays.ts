import {
  ARRAY_BYTES,
  EPOCH_MICROS,
  INT4,
  TAIL_TYPES,
  TIMESTAMPTZ,
  TWO_32,
  UUID,
  writeArray,
} from './binary-format'
import {
  CUSTOMER_NUMBER,
  DEFAULT_TAIL,
  EVENT_TYPE,
  type EventBatch,
  KEY,
  LINE,
  MICROS,
  ROW_FLOATS,
  ROW_WORDS,
  TAIL_END,
  TAIL_START,
} from './event-batch'

/** Some rows of a batch, in the order in which they are to be stored, with their customers' numbers resolved. */
export interface RowsToEncode {
  readonly batch: EventBatch
  readonly order: Uint32Array
  /** The database's numbers of the reader's `eventTypes`. */
  readonly eventTypeNumbers: Int32Array
}

const NO_ELEMENTS_BYTES = 12

/**
 * Encodes rows as PostgreSQL binary arrays, one for each column, for `unnest`: one statement stores them then, without a
 * COPY of its own and the round trips around it. In this order: request int4 (the position in `rows`), line int4,
 * customer_no int4, event_key uuid, event_date timestamptz, event_type_no int4, quantity numeric, unit_price numeric,
 * event_id text, properties hstore. Where every row has quantity 1 and nothing else, the last four are empty.
 */
export function encodeArrays(rows: readonly RowsToEncode[]): Buffer[] {
  const count = rows.reduce((sum, { order }) => sum + order.length, 0)
  const [requests, lines, customers, types] = [0, 1, 2, 3].map(() => fixedArray(INT4, 4, count))
  const keys = fixedArray(UUID, 16, count)
  const dates = fixedArray(TIMESTAMPTZ, 8, count)
  let row = 0
  for (const [request, { batch, order, eventTypeNumbers }] of rows.entries()) {
    const { words, unsigned, floats } = batch
    for (const index of order) {
      const at = ROW_WORDS * index
      const word = ARRAY_BYTES + 8 * row
      requests!.view.setInt32(word + 4, request)
      lines!.view.setInt32(word + 4, words[at + LINE]!)
      customers!.view.setInt32(word + 4, words[at + CUSTOMER_NUMBER]!)
      types!.view.setInt32(word + 4, eventTypeNumbers[words[at + EVENT_TYPE]!]!)
      const key = ARRAY_BYTES + 20 * row + 4
      for (let i = 0; i < 4; i++) keys.view.setUint32(key + 4 * i, unsigned[at + KEY + i]!)
      setDate(dates, row, floats[ROW_FLOATS * index + MICROS]!)
      row++
    }
  }
  const fixed = [requests!, lines!, customers!, keys, dates, types!].map((array) => array.bytes)
  return [...fixed, ...encodeTails(rows, count)]
}

interface FixedArray {
  readonly bytes: Buffer
  readonly view: DataView
}

/** An array whose elements all have `width` bytes, with its header and each element's length written. */
function fixedArray(type: number, width: number, count: number): FixedArray {
  const bytes = Buffer.allocUnsafe(ARRAY_BYTES + (4 + width) * count)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  writeArray(view, 0, type, count)
  for (let at = ARRAY_BYTES; at < bytes.length; at += 4 + width) view.setInt32(at, width)
  return { bytes, view }
}

function setDate({ view }: FixedArray, place: number, micros: number): void {
  const sinceEpoch = micros - EPOCH_MICROS
  const high = Math.floor(sinceEpoch / TWO_32)
  const at = ARRAY_BYTES + 12 * place + 4
  view.setInt32(at, high)
  view.setUint32(at + 4, sinceEpoch - high * TWO_32)
}

/** An array of int4. */
export function encodeIntegers(integers: readonly number[]): Buffer {
  const array = fixedArray(INT4, 4, integers.length)
  for (const [place, integer] of integers.entries()) {
    array.view.setInt32(ARRAY_BYTES + 8 * place + 4, integer)
  }
  return array.bytes
}

/** An array of timestamptz, from microseconds since 1970. */
export function encodeDates(micros: readonly number[]): Buffer {
  const array = fixedArray(TIMESTAMPTZ, 8, micros.length)
  for (const [place, date] of micros.entries()) setDate(array, place, date)
  return array.bytes
}

function emptyArray(type: number): Buffer {
  const bytes = Buffer.alloc(NO_ELEMENTS_BYTES)
  bytes.writeInt32BE(type, 8)
  return bytes
}

/** The fields of a tail are elements as they are: their length and their bytes. */
function encodeTails(rows: readonly RowsToEncode[], count: number): Buffer[] {
  const sizes = measureTails(rows)
  if (sizes === null) return TAIL_TYPES.map(emptyArray)
  const columns = TAIL_TYPES.map((type, field) => {
    const bytes = Buffer.allocUnsafe(ARRAY_BYTES + sizes[field]!)
    writeArray(new DataView(bytes.buffer, bytes.byteOffset), 0, type, count)
    return bytes
  })
  const ends = TAIL_TYPES.map(() => ARRAY_BYTES)
  forEachField(rows, (field, tails, start, end) => {
    const out = columns[field]!
    let to = ends[field]!
    // For so few bytes a loop is faster than a call into C++.
    if (end - start > 96) to += tails.copy(out, to, start, end)
    else for (let from = start; from < end; from++) out[to++] = tails[from]!
    ends[field] = to
  })
  return columns
}

/** Bytes of each field over all rows; null when every row has the default tail. */
function measureTails(rows: readonly RowsToEncode[]): number[] | null {
  const isDefault = rows.every(({ batch, order }) =>
    order.every((row) => batch.words[ROW_WORDS * row + TAIL_END] === DEFAULT_TAIL.length),
  )
  if (isDefault) return null
  const sizes = TAIL_TYPES.map(() => 0)
  forEachField(rows, (field, _tails, start, end) => (sizes[field]! += end - start))
  return sizes
}

function forEachField(
  rows: readonly RowsToEncode[],
  visit: (field: number, tails: Buffer, start: number, end: number) => void,
): void {
  for (const { batch, order } of rows) {
    for (const row of order) {
      let at = batch.words[ROW_WORDS * row + TAIL_START]!
      for (let field = 0; field < TAIL_TYPES.length; field++) {
        const end = at + 4 + Math.max(0, batch.tails.readInt32BE(at))
        visit(field, batch.tails, at, end)
        at = end
      }
    }
  }
}
