import { EPOCH_MICROS, TWO_32 } from './binary-format'
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

/** Columns of a row, in this order. */
export const COPY_COLUMNS = [
  'customer_no',
  'event_key',
  'event_date',
  'event_type_no',
  'upload_no',
  'line',
  'quantity',
  'unit_price',
  'event_id',
  'properties',
] as const

/** Those of a plain row: the others have their defaults. Leaving them out saves PostgreSQL a quarter of its work. */
export const PLAIN_COPY_COLUMNS = COPY_COLUMNS.slice(0, 6)

const BUFFER_BYTES = 128 * 1024
/** Bytes of a row before its tail: number of fields, then six fields with their lengths. */
const HEAD_BYTES = 2 + (4 + 4) + (4 + 16) + (4 + 8) + (4 + 4) + (4 + 4) + (4 + 4)

export interface CopyOptions {
  /** The database's numbers of the reader's `eventTypes`. */
  readonly eventTypeNumbers: Int32Array
  readonly uploadNo: number
  /** Writes the columns of plain rows only, for a batch that has no others. */
  readonly plain?: boolean
  /**
   * Gives the next buffer to write into, at least 4 KiB. By default each is new, so that a writer may hold on to them;
   * one that knows when its buffers are free can hand them back here.
   */
  readonly takeBuffer?: () => Buffer
}

/**
 * Encodes the rows `order` of a batch (from `sortBatch` or `fileOrder`) as PostgreSQL binary COPY rows: customer_no
 * int4, event_key uuid, event_date timestamptz, event_type_no int4, upload_no int4, line int4, quantity numeric,
 * unit_price numeric, event_id text, properties hstore. No header, no trailer. Each buffer holds whole rows.
 */
export function* encodeCopy(
  batch: EventBatch,
  order: Uint32Array,
  options: CopyOptions,
): Generator<Buffer, void, void> {
  const takeBuffer = options.takeBuffer ?? ((): Buffer => Buffer.allocUnsafeSlow(BUFFER_BYTES))
  const position = { next: 0 }
  while (position.next < order.length) {
    const row = order[position.next]!
    const at = ROW_WORDS * row
    const needed = HEAD_BYTES + batch.words[at + TAIL_END]! - batch.words[at + TAIL_START]!
    const taken = takeBuffer()
    const out = taken.length < needed ? Buffer.allocUnsafeSlow(needed) : taken
    yield out.subarray(0, encodeRows(batch, order, options, position, out))
  }
}

/** Of so many rows the processor fetches what is not in its cache at the same time, one by one it would wait for each. */
const ROWS_AHEAD = 32

/** The end of the next few rows from `next` on that have room in so many bytes. */
function rowsThatFit(
  { words }: EventBatch,
  order: Uint32Array,
  next: number,
  room: number,
): number {
  const end = Math.min(order.length, next + ROWS_AHEAD)
  let bytes = 0
  for (let place = next; place < end; place++) {
    const at = ROW_WORDS * order[place]!
    bytes += HEAD_BYTES + words[at + TAIL_END]! - words[at + TAIL_START]!
    if (bytes > room) return place
  }
  return end
}

/** Encodes rows until the buffer is full or there are no more; answers how many bytes were written. */
function encodeRows(
  batch: EventBatch,
  order: Uint32Array,
  { eventTypeNumbers, uploadNo, plain = false }: CopyOptions,
  position: { next: number },
  out: Buffer,
): number {
  const { words, unsigned, floats, tails } = batch
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength)
  const columns = (plain ? PLAIN_COPY_COLUMNS : COPY_COLUMNS).length
  let to = 0
  let next = position.next
  let fitting = next
  for (; ; next++) {
    if (next === fitting) fitting = rowsThatFit(batch, order, next, out.length - to)
    if (next === fitting) break
    const row = order[next]!
    const at = ROW_WORDS * row
    const start = words[at + TAIL_START]!
    const end = plain ? start : words[at + TAIL_END]!

    const sinceEpoch = floats[ROW_FLOATS * row + MICROS]! - EPOCH_MICROS
    const high = Math.floor(sinceEpoch / TWO_32)
    view.setInt16(to, columns)
    view.setInt32(to + 2, 4)
    view.setInt32(to + 6, words[at + CUSTOMER_NUMBER]!)
    view.setInt32(to + 10, 16)
    view.setUint32(to + 14, unsigned[at + KEY]!)
    view.setUint32(to + 18, unsigned[at + KEY + 1]!)
    view.setUint32(to + 22, unsigned[at + KEY + 2]!)
    view.setUint32(to + 26, unsigned[at + KEY + 3]!)
    view.setInt32(to + 30, 8)
    view.setInt32(to + 34, high)
    view.setUint32(to + 38, sinceEpoch - high * TWO_32)
    view.setInt32(to + 42, 4)
    view.setInt32(to + 46, eventTypeNumbers[words[at + EVENT_TYPE]!]!)
    view.setInt32(to + 50, 4)
    view.setInt32(to + 54, uploadNo)
    view.setInt32(to + 58, 4)
    view.setInt32(to + 62, words[at + LINE]!)
    to += HEAD_BYTES
    if (end - start > 96) to += tails.copy(out, to, start, end)
    else for (let from = start; from < end; from++) out[to++] = tails[from]!
  }
  position.next = next
  return to
}
