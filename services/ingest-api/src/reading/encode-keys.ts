import { CUSTOMER_NUMBER, type EventBatch, KEY, LINE, ROW_WORDS } from './event-batch'

/** Columns of a run's keys, in this order: the place of its first row in `order`, its customer, and its keys. */
export const KEY_COLUMNS = ['place', 'customer_no', 'event_keys'] as const
/** Columns of what is claimed of a run. */
export const CLAIM_COLUMNS = ['customer_no', 'upload_no', 'event_keys', 'lines'] as const

const UUID = 2950
const INT4 = 23
const BUFFER_BYTES = 128 * 1024
const ARRAY_HEAD_BYTES = 4 + 5 * 4
const KEY_BYTES = 4 + 16
const LINE_BYTES = 4 + 4
/** The number of fields and two numbers. */
const ROW_HEAD_BYTES = 2 + (4 + 4) + (4 + 4)

/**
 * Encodes the keys of a sorted batch as binary COPY rows of `KEY_COLUMNS`, one for each run (`findRuns`). Each buffer
 * holds whole rows.
 */
export function encodeKeys(
  batch: EventBatch,
  order: Uint32Array,
  starts: Uint32Array,
): Generator<Buffer, void, void> {
  return encodeEach(starts, {
    bytes: (rows) => ROW_HEAD_BYTES + ARRAY_HEAD_BYTES + KEY_BYTES * rows,
    write(view, start, end) {
      const rows = order.subarray(start, end)
      writeHead(view, KEY_COLUMNS.length, start, customerOf(batch, rows))
      writeKeys(view, ROW_HEAD_BYTES, batch, rows)
    },
  })
}

/** The same for the claims of an upload on rows that are stored: rows of `CLAIM_COLUMNS`. */
export function encodeClaims(
  batch: EventBatch,
  order: Uint32Array,
  starts: Uint32Array,
  uploadNo: number,
): Generator<Buffer, void, void> {
  return encodeEach(starts, {
    bytes: (rows) => ROW_HEAD_BYTES + 2 * ARRAY_HEAD_BYTES + (KEY_BYTES + LINE_BYTES) * rows,
    write(view, start, end) {
      const rows = order.subarray(start, end)
      writeHead(view, CLAIM_COLUMNS.length, customerOf(batch, rows), uploadNo)
      writeLines(view, writeKeys(view, ROW_HEAD_BYTES, batch, rows), batch, rows)
    },
  })
}

function* encodeEach(
  starts: Uint32Array,
  run: {
    bytes: (rows: number) => number
    write: (view: DataView, start: number, end: number) => void
  },
): Generator<Buffer, void, void> {
  let out = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  let used = 0
  for (let at = 0; at + 1 < starts.length; at++) {
    const [start, end] = [starts[at]!, starts[at + 1]!]
    const needed = run.bytes(end - start)
    if (used + needed > out.length) {
      if (used > 0) yield out.subarray(0, used)
      out = Buffer.allocUnsafeSlow(Math.max(BUFFER_BYTES, needed))
      used = 0
    }
    run.write(new DataView(out.buffer, used, needed), start, end)
    used += needed
  }
  if (used > 0) yield out.subarray(0, used)
}

const customerOf = ({ words }: EventBatch, rows: Uint32Array): number =>
  words[ROW_WORDS * rows[0]! + CUSTOMER_NUMBER]!

function writeHead(view: DataView, fields: number, first: number, second: number): void {
  view.setInt16(0, fields)
  view.setInt32(2, 4)
  view.setInt32(6, first)
  view.setInt32(10, 4)
  view.setInt32(14, second)
}

/** Answers the position after them, as `writeLines` does. */
function writeKeys(
  view: DataView,
  from: number,
  { unsigned }: EventBatch,
  rows: Uint32Array,
): number {
  let to = writeArrayHead(view, from, UUID, { elements: rows.length, bytes: KEY_BYTES })
  for (const row of rows) {
    const key = ROW_WORDS * row + KEY
    view.setInt32(to, 16)
    for (let word = 0; word < 4; word++) view.setUint32(to + 4 + 4 * word, unsigned[key + word]!)
    to += KEY_BYTES
  }
  return to
}

function writeLines(
  view: DataView,
  from: number,
  { words }: EventBatch,
  rows: Uint32Array,
): number {
  let to = writeArrayHead(view, from, INT4, { elements: rows.length, bytes: LINE_BYTES })
  for (const row of rows) {
    view.setInt32(to, 4)
    view.setInt32(to + 4, words[ROW_WORDS * row + LINE]!)
    to += LINE_BYTES
  }
  return to
}

/** One dimension that begins at 1, without nulls. Each element takes `bytes`, its length included. */
function writeArrayHead(
  view: DataView,
  at: number,
  type: number,
  { elements, bytes }: { elements: number; bytes: number },
): number {
  view.setInt32(at, ARRAY_HEAD_BYTES - 4 + elements * bytes)
  view.setInt32(at + 4, 1)
  view.setInt32(at + 8, 0)
  view.setInt32(at + 12, type)
  view.setInt32(at + 16, elements)
  view.setInt32(at + 20, 1)
  return at + ARRAY_HEAD_BYTES
}
