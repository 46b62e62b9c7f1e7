import { ARRAY_FIELD_BYTES, INT4, UUID, writeArrayField } from './binary-format'
import { CUSTOMER_NUMBER, type EventBatch, KEY, LINE, ROW_WORDS } from './event-batch'

/**
 * Columns of a group's keys, in this order: the place of its first row, the customers, which need not be as many as the keys,
 * and the keys.
 */
export const KEY_COLUMNS = ['place', 'customer_nos', 'event_keys'] as const
/** Columns of what is claimed of a run. */
export const CLAIM_COLUMNS = ['customer_no', 'upload_no', 'event_keys', 'lines'] as const

const BUFFER_BYTES = 128 * 1024
const KEY_BYTES = 4 + 16
const NUMBER_BYTES = 4 + 4
/** The number of fields. */
const COUNT_BYTES = 2

/**
 * Encodes the keys of a sorted batch as binary COPY rows of `KEY_COLUMNS`, one for each group (`findGroups`). Each buffer
 * holds whole rows.
 */
export function encodeKeys(
  batch: EventBatch,
  order: Uint32Array,
  starts: Uint32Array,
): Generator<Buffer, void, void> {
  return encodeEach(starts, {
    bytes: (rows) =>
      COUNT_BYTES + NUMBER_BYTES + 2 * ARRAY_FIELD_BYTES + (NUMBER_BYTES + KEY_BYTES) * rows,
    write(view, start, end) {
      const rows = order.subarray(start, end)
      view.setInt16(0, KEY_COLUMNS.length)
      const to = writeNumber(view, COUNT_BYTES, start)
      const customers = isOfOne(batch, rows) ? rows.subarray(0, 1) : rows
      return writeKeys(view, writeNumbers(view, to, batch, customers, CUSTOMER_NUMBER), batch, rows)
    },
  })
}

/** The same for the claims of an upload on rows that are stored: rows of `CLAIM_COLUMNS`, one for each run (`findRuns`). */
export function encodeClaims(
  batch: EventBatch,
  order: Uint32Array,
  starts: Uint32Array,
  uploadNo: number,
): Generator<Buffer, void, void> {
  return encodeEach(starts, {
    bytes: (rows) =>
      COUNT_BYTES + 2 * NUMBER_BYTES + 2 * ARRAY_FIELD_BYTES + (KEY_BYTES + NUMBER_BYTES) * rows,
    write(view, start, end) {
      const rows = order.subarray(start, end)
      view.setInt16(0, CLAIM_COLUMNS.length)
      let to = writeNumber(view, COUNT_BYTES, customerOf(batch, rows[0]!))
      to = writeKeys(view, writeNumber(view, to, uploadNo), batch, rows)
      return writeNumbers(view, to, batch, rows, LINE)
    },
  })
}

function* encodeEach(
  starts: Uint32Array,
  group: {
    /** At most so many. */
    bytes: (rows: number) => number
    /** Answers how many it was. */
    write: (view: DataView, start: number, end: number) => number
  },
): Generator<Buffer, void, void> {
  let out = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  let used = 0
  for (let at = 0; at + 1 < starts.length; at++) {
    const [start, end] = [starts[at]!, starts[at + 1]!]
    const needed = group.bytes(end - start)
    if (used + needed > out.length) {
      if (used > 0) yield out.subarray(0, used)
      out = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, needed))
      used = 0
    }
    used += group.write(new DataView(out.buffer, used, needed), start, end)
  }
  if (used > 0) yield out.subarray(0, used)
}

const customerOf = ({ words }: EventBatch, row: number): number =>
  words[ROW_WORDS * row + CUSTOMER_NUMBER]!

const isOfOne = (batch: EventBatch, rows: Uint32Array): boolean =>
  customerOf(batch, rows[0]!) === customerOf(batch, rows[rows.length - 1]!)

/** Answers the position after it, as all that write do. */
function writeNumber(view: DataView, at: number, number: number): number {
  view.setInt32(at, 4)
  view.setInt32(at + 4, number)
  return at + NUMBER_BYTES
}

function writeKeys(
  view: DataView,
  from: number,
  { unsigned }: EventBatch,
  rows: Uint32Array,
): number {
  writeArrayField(view, from, UUID, { elements: rows.length, bytes: KEY_BYTES * rows.length })
  let to = from + ARRAY_FIELD_BYTES
  for (const row of rows) {
    const key = ROW_WORDS * row + KEY
    view.setInt32(to, 16)
    for (let word = 0; word < 4; word++) view.setUint32(to + 4 + 4 * word, unsigned[key + word]!)
    to += KEY_BYTES
  }
  return to
}

/** Of each row the word `field`. */
function writeNumbers(
  view: DataView,
  from: number,
  { words }: EventBatch,
  rows: Uint32Array,
  field: number,
): number {
  writeArrayField(view, from, INT4, { elements: rows.length, bytes: NUMBER_BYTES * rows.length })
  let to = from + ARRAY_FIELD_BYTES
  for (const row of rows) to = writeNumber(view, to, words[ROW_WORDS * row + field]!)
  return to
}
