/** Words (32 bits) of a row's fixed part: one cache line, since sorted rows are met in random order. */
export const ROW_WORDS = 16
/**
 * Where in its row each field is. The key is four big-endian words, so that comparing words compares bytes. What is read of
 * sorted rows comes first: the memory of an array begins 16 bytes into a line.
 */
export const CUSTOMER_NUMBER = 0
export const EVENT_TYPE = 1
export const LINE = 2
export const DERIVED = 3
export const TAIL_START = 4
export const TAIL_END = 5
export const KEY = 8
export const CUSTOMER = 12
/** In `floats`, whose elements are two words. */
export const MICROS = 3
export const ROW_FLOATS = ROW_WORDS / 2

/**
 * A batch of events in typed arrays, reused for every batch of an upload.
 *
 * Invariants: row `i < size` has its fixed part in the 16 words from `ROW_WORDS * i` and its variable part at
 * `tails[TAIL_START .. TAIL_END)`. A tail is already the last four fields of a binary COPY row (quantity, unit_price,
 * event_id, properties, each with its length), so that encoding a row is a copy. `words`, `unsigned` and `floats` are
 * the same memory. Nothing is ever removed from a batch but by `clearBatch`.
 *
 * The fields: CUSTOMER and EVENT_TYPE are indexes in the reader's tables, CUSTOMER_NUMBER is the database's (set by
 * `sortBatch`), LINE is the line of the file on which the row starts, DERIVED is 1 where the row had no id and KEY is
 * the hash of its content, MICROS is when it happened in microseconds since 1970.
 */
export interface EventBatch {
  readonly capacity: number
  /** Number of rows. */
  size: number
  readonly words: Int32Array
  readonly unsigned: Uint32Array
  readonly floats: Float64Array
  tails: Buffer
  tailsSize: number
  /** Tails beyond this many bytes make the batch full before its rows do. */
  readonly tailBytesMax: number
  /** Room to sort in. */
  readonly order: Uint32Array
  readonly sortSpace: BigUint64Array
}

const TAIL_BYTES_AT_FIRST = 64 * 1024

/**
 * Makes an empty batch. 250,000 rows take 19 MB and their tails; a row without quantity, price, properties and
 * with a UUID for an id shares one tail with all such rows.
 */
export function createBatch(capacity: number, tailBytesMax = 24 * 1024 * 1024): EventBatch {
  const rows = new ArrayBuffer(4 * ROW_WORDS * capacity)
  const batch: EventBatch = {
    capacity,
    size: 0,
    words: new Int32Array(rows),
    unsigned: new Uint32Array(rows),
    floats: new Float64Array(rows),
    tails: Buffer.allocUnsafeSlow(TAIL_BYTES_AT_FIRST),
    tailsSize: 0,
    tailBytesMax,
    order: new Uint32Array(capacity),
    sortSpace: new BigUint64Array(capacity),
  }
  clearBatch(batch)
  return batch
}

/** Empties the batch for reuse. */
export function clearBatch(batch: EventBatch): void {
  batch.size = 0
  DEFAULT_TAIL.copy(batch.tails, 0)
  batch.tailsSize = DEFAULT_TAIL.length
}

/** Is there no room for another row? */
export function isFull(batch: EventBatch): boolean {
  return batch.size >= batch.capacity || batch.tailsSize >= batch.tailBytesMax
}

/** Does every row say no more than whose event it is, of which type, and when? */
export function isPlain(batch: EventBatch): boolean {
  return batch.tailsSize === DEFAULT_TAIL.length
}

/** The line of the file on which the row starts. */
export function lineOf(batch: EventBatch, row: number): number {
  return batch.words[ROW_WORDS * row + LINE]!
}

/** Had the row no id, so that its key is the hash of its content? */
export function isDerived(batch: EventBatch, row: number): boolean {
  return batch.words[ROW_WORDS * row + DERIVED] === 1
}

/** The number of the row's customer in the database, once the batch has been sorted. */
export function customerNoOf(batch: EventBatch, row: number): number {
  return batch.words[ROW_WORDS * row + CUSTOMER_NUMBER]!
}

/** Where in `batch.unsigned` the four words of the row's key begin. */
export function keyOffset(row: number): number {
  return ROW_WORDS * row + KEY
}

/** The row's key in hexadecimal, as PostgreSQL reads a uuid. */
export function keyText(batch: EventBatch, row: number): string {
  const at = keyOffset(row)
  const words = Array.from(batch.unsigned.subarray(at, at + 4))
  return words.map((word) => word.toString(16).padStart(8, '0')).join('')
}

/** Makes room for `bytes` more bytes of tails; the tails written so far stay where they are. */
export function reserveTail(batch: EventBatch, bytes: number): void {
  const needed = batch.tailsSize + bytes
  if (needed <= batch.tails.length) return
  const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * batch.tails.length))
  batch.tails.copy(larger, 0, 0, batch.tailsSize)
  batch.tails = larger
}

/** The tail at offset 0 of every batch: quantity 1, no price, no id beside the key, no properties. */
export const DEFAULT_TAIL: Buffer = Buffer.from(
  '0000000a' + '0001' + '0000' + '0000' + '0000' + '0001' + 'ffffffff' + 'ffffffff' + 'ffffffff',
  'hex',
)
