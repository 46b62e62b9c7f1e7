import {
  ARRAY_FIELD_BYTES,
  EPOCH_MICROS,
  INT4,
  TAIL_TYPES,
  TIMESTAMPTZ,
  TWO_32,
  UUID,
  writeArrayField,
} from './binary-format'
import {
  CUSTOMER_NUMBER,
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

/**
 * Columns of a run, in this order: the place of its first row in `order`, its customer, and arrays with an element for
 * each row.
 */
export const RUN_COLUMNS = [
  'place',
  'customer_no',
  'event_keys',
  'event_dates',
  'event_type_nos',
  'lines',
  'quantities',
  'unit_prices',
  'event_ids',
  'properties',
] as const

/** So that no array grows with the file. */
export const RUN_ROWS_MAX = 10_000
const RUN_TAIL_BYTES_MAX = 1024 * 1024
const BUFFER_BYTES = 128 * 1024

/** Bytes of a run before its elements: number of fields, two numbers, and the heads of eight arrays. */
const RUN_HEAD_BYTES = 2 + (4 + 4) + (4 + 4) + 8 * ARRAY_FIELD_BYTES
/** Bytes of a row's four elements before its tail. */
const ROW_HEAD_BYTES = 4 + 16 + (4 + 8) + (4 + 4) + (4 + 4)

/** Where in `order` each run begins, and its end: run `i` is `order[starts[i] .. starts[i + 1])`. */
export function findRuns(batch: EventBatch, order: Uint32Array): Uint32Array {
  const { words } = batch
  const starts: number[] = []
  let customer = -1
  let tailBytes = 0
  let rows = 0
  for (let place = 0; place < order.length; place++) {
    const at = ROW_WORDS * order[place]!
    const isOver = rows === RUN_ROWS_MAX || tailBytes > RUN_TAIL_BYTES_MAX
    if (isOver || words[at + CUSTOMER_NUMBER] !== customer) {
      customer = words[at + CUSTOMER_NUMBER]!
      starts.push(place)
      tailBytes = rows = 0
    }
    rows++
    tailBytes += words[at + TAIL_END]! - words[at + TAIL_START]!
  }
  starts.push(order.length)
  return Uint32Array.from(starts)
}

/**
 * Encodes a sorted batch as binary COPY rows of `RUN_COLUMNS`: a row for each run of one customer's events, with arrays
 * of what they say, in the order of their keys. Each buffer holds whole rows.
 */
export function* encodeRuns(
  batch: EventBatch,
  order: Uint32Array,
  starts: Uint32Array,
  eventTypeNumbers: Int32Array,
): Generator<Buffer, void, void> {
  let out = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  let used = 0
  for (let run = 0; run + 1 < starts.length; run++) {
    const rows = order.subarray(starts[run], starts[run + 1])
    const needed = runBytes(batch, rows)
    if (used > 0 && used + needed > out.length) {
      yield out.subarray(0, used)
      out = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, needed))
      used = 0
    } else if (needed > out.length) {
      out = Buffer.allocUnsafeSlow(needed)
    }
    writeRun(
      batch,
      rows,
      { place: starts[run]!, eventTypeNumbers },
      new DataView(out.buffer, used, needed),
    )
    used += needed
  }
  if (used > 0) yield out.subarray(0, used)
}

function runBytes({ words }: EventBatch, rows: Uint32Array): number {
  let bytes = RUN_HEAD_BYTES + ROW_HEAD_BYTES * rows.length
  for (const row of rows) {
    bytes += words[ROW_WORDS * row + TAIL_END]! - words[ROW_WORDS * row + TAIL_START]!
  }
  return bytes
}

function writeRun(
  batch: EventBatch,
  rows: Uint32Array,
  { place, eventTypeNumbers }: { place: number; eventTypeNumbers: Int32Array },
  view: DataView,
): void {
  const { words, unsigned, floats } = batch
  view.setInt16(0, RUN_COLUMNS.length)
  view.setInt32(2, 4)
  view.setInt32(6, place)
  view.setInt32(10, 4)
  view.setInt32(14, words[ROW_WORDS * rows[0]! + CUSTOMER_NUMBER]!)
  const keys = 18
  const dates = keys + ARRAY_FIELD_BYTES + 20 * rows.length
  const types = dates + ARRAY_FIELD_BYTES + 12 * rows.length
  const lines = types + ARRAY_FIELD_BYTES + 8 * rows.length
  const tails = lines + ARRAY_FIELD_BYTES + 8 * rows.length
  writeArrayField(view, keys, UUID, { elements: rows.length, bytes: 20 * rows.length })
  writeArrayField(view, dates, TIMESTAMPTZ, { elements: rows.length, bytes: 12 * rows.length })
  writeArrayField(view, types, INT4, { elements: rows.length, bytes: 8 * rows.length })
  writeArrayField(view, lines, INT4, { elements: rows.length, bytes: 8 * rows.length })
  for (let i = 0; i < rows.length; i++) {
    const at = ROW_WORDS * rows[i]!
    const key = keys + ARRAY_FIELD_BYTES + 20 * i
    view.setInt32(key, 16)
    for (let word = 0; word < 4; word++) {
      view.setUint32(key + 4 + 4 * word, unsigned[at + KEY + word]!)
    }
    const sinceEpoch = floats[ROW_FLOATS * rows[i]! + MICROS]! - EPOCH_MICROS
    const high = Math.floor(sinceEpoch / TWO_32)
    const date = dates + ARRAY_FIELD_BYTES + 12 * i
    view.setInt32(date, 8)
    view.setInt32(date + 4, high)
    view.setUint32(date + 8, sinceEpoch - high * TWO_32)
    view.setInt32(types + ARRAY_FIELD_BYTES + 8 * i, 4)
    view.setInt32(types + ARRAY_FIELD_BYTES + 8 * i + 4, eventTypeNumbers[words[at + EVENT_TYPE]!]!)
    view.setInt32(lines + ARRAY_FIELD_BYTES + 8 * i, 4)
    view.setInt32(lines + ARRAY_FIELD_BYTES + 8 * i + 4, words[at + LINE]!)
  }
  writeTails(batch, rows, view, tails)
}

/** The tails' fields, one array after the other; a field is an element as it is, with its length. */
function writeTails(batch: EventBatch, rows: Uint32Array, view: DataView, from: number): void {
  const { words, tails } = batch
  const source = new DataView(tails.buffer, tails.byteOffset, tails.byteLength)
  const out = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  const next = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) next[i] = words[ROW_WORDS * rows[i]! + TAIL_START]!
  let head = from
  for (const type of TAIL_TYPES) {
    let to = head + ARRAY_FIELD_BYTES
    for (let i = 0; i < rows.length; i++) {
      const start = next[i]!
      // A length of -1 says null.
      const end = start + 4 + Math.max(0, source.getInt32(start))
      next[i] = end
      for (let at = start; at < end; at++) out[to++] = tails[at]!
    }
    writeArrayField(view, head, type, {
      elements: rows.length,
      bytes: to - head - ARRAY_FIELD_BYTES,
    })
    head = to
  }
}
