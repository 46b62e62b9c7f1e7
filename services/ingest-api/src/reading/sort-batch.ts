import { CUSTOMER, CUSTOMER_NUMBER, type EventBatch, KEY, ROW_WORDS } from './event-batch'

/** Row indices in the order in which they go to the database. Views of the batch: valid until it is cleared. */
export interface SortedBatch {
  /** One row for each (customer, key), in that order; of equal ones the first of the file. */
  readonly order: Uint32Array
  /** The other rows: their (customer, key) is in `order` already. Ascending by customer, key, place in the file. */
  readonly again: Uint32Array
}

const KEY_WORDS = 4
const KEY_BITS = 128
/** Below this a run is sorted by insertion: the native sort has a cost of its own. */
const INSERTION_MAX = 24

/**
 * Sorts a batch by customer number, key bytes and place in the file, so that the database's index is written in order.
 * `customerNumbers` are those of the reader's `customers`, all of them set.
 *
 * Each row becomes 64 bits (customer number from the smallest one, as much of the key as fits, row index) and those are
 * sorted as plain integers, natively, without calling back into JavaScript. Rows alike in all but the index are a run,
 * sorted again by the bits of the key that follow. Words are packed low word first: Node runs on little-endian machines.
 */
export function sortBatch(batch: EventBatch, customerNumbers: Int32Array): SortedBatch {
  const { size, order, sortSpace } = batch
  const lowest = resolveCustomers(batch, customerNumbers)
  const indexBits = bitsFor(size)
  const numberBits = packRows(batch, lowest.number, bitsFor(lowest.range), indexBits)
  sortSpace.subarray(0, size).sort()

  const words = new Uint32Array(sortSpace.buffer)
  const indexMask = 2 ** indexBits - 1
  for (let at = 0; at < size; at++) order[at] = words[2 * at]! & indexMask
  refineRuns(batch, words, 0, size, 64 - numberBits - indexBits, indexBits)
  return separateRepeats(batch, words, indexBits)
}

/** All rows in the order of the file, with their customers' numbers resolved as `sortBatch` does. */
export function fileOrder(batch: EventBatch, customerNumbers: Int32Array): Uint32Array {
  resolveCustomers(batch, customerNumbers)
  for (let row = 0; row < batch.size; row++) batch.order[row] = row
  return batch.order.subarray(0, batch.size)
}

function resolveCustomers(
  { size, words }: EventBatch,
  numbers: Int32Array,
): { number: number; range: number } {
  let min = 0x7fffffff
  let max = 0
  for (let row = 0; row < size; row++) {
    const number = numbers[words[ROW_WORDS * row + CUSTOMER]!]!
    if (number < 0) throw new Error('A customer of the batch has no number yet.')
    words[ROW_WORDS * row + CUSTOMER_NUMBER] = number
    if (number < min) min = number
    if (number > max) max = number
  }
  return { number: Math.min(min, max), range: Math.max(0, max - min) }
}

/** Bits that hold 0 to `value`, at least one. */
function bitsFor(value: number): number {
  return 32 - Math.clz32(value | 1)
}

/** Fills the sort space; answers how many bits the customers took. */
function packRows(
  { size, unsigned, words: rows, sortSpace }: EventBatch,
  lowest: number,
  numberBits: number,
  indexBits: number,
): number {
  const words = new Uint32Array(sortSpace.buffer)
  const keepKey = -(2 ** indexBits)
  for (let row = 0; row < size; row++) {
    const first = unsigned[ROW_WORDS * row + KEY]!
    const second = unsigned[ROW_WORDS * row + KEY + 1]!
    const number = rows[ROW_WORDS * row + CUSTOMER_NUMBER]! - lowest
    const rest = (first << (32 - numberBits)) | (second >>> numberBits)
    words[2 * row] = (rest & keepKey) | row
    words[2 * row + 1] = (number << (32 - numberBits)) | (first >>> numberBits)
  }
  return numberBits
}

/**
 * Sorts the runs within `order[from .. to)`, whose sorted words are in the sort space at the same places. `compared`
 * bits of the key are equal within each run.
 */
function refineRuns(
  batch: EventBatch,
  words: Uint32Array,
  from: number,
  to: number,
  compared: number,
  indexBits: number,
): void {
  const keepKey = -(2 ** indexBits)
  let start = from
  for (let at = from + 1; at <= to; at++) {
    const inRun =
      at < to &&
      words[2 * at + 1] === words[2 * start + 1] &&
      (words[2 * at]! & keepKey) === (words[2 * start]! & keepKey)
    if (inRun) continue
    if (at - start > INSERTION_MAX) sortRun(batch, words, start, at, compared, indexBits)
    else if (at - start > 1) insertionSort(batch, start, at)
    start = at
  }
}

/** Sorts one long run by the next bits of its keys. Runs whose whole keys are equal are in file order already. */
function sortRun(
  batch: EventBatch,
  words: Uint32Array,
  from: number,
  to: number,
  compared: number,
  indexBits: number,
): void {
  if (compared >= KEY_BITS) return
  const { unsigned: key, order, sortSpace } = batch
  const keepKey = -(2 ** indexBits)
  for (let at = from; at < to; at++) {
    const row = order[at]!
    words[2 * at] = (keyBits(key, row, compared + 32) & keepKey) | row
    words[2 * at + 1] = keyBits(key, row, compared)
  }
  sortSpace.subarray(from, to).sort()
  for (let at = from; at < to; at++) order[at] = words[2 * at]! & ~keepKey
  refineRuns(batch, words, from, to, compared + 64 - indexBits, indexBits)
}

/** The 32 bits of the key that follow its first `offset` bits, zeros beyond its end. */
function keyBits(key: Uint32Array, row: number, offset: number): number {
  const word = offset >>> 5
  const shift = offset & 31
  if (word >= KEY_WORDS) return 0
  const first = key[ROW_WORDS * row + KEY + word]!
  if (shift === 0) return first
  const second = word + 1 < KEY_WORDS ? key[ROW_WORDS * row + KEY + word + 1]! : 0
  return (first << shift) | (second >>> (32 - shift))
}

/** Stable, so that equal keys stay in file order. */
function insertionSort({ unsigned: key, order }: EventBatch, from: number, to: number): void {
  for (let at = from + 1; at < to; at++) {
    const row = order[at]!
    let hole = at
    while (hole > from && compareKeys(key, order[hole - 1]!, row) > 0) {
      order[hole] = order[hole - 1]!
      hole--
    }
    order[hole] = row
  }
}

function compareKeys(key: Uint32Array, a: number, b: number): number {
  for (let word = 0; word < KEY_WORDS; word++) {
    const difference = key[ROW_WORDS * a + KEY + word]! - key[ROW_WORDS * b + KEY + word]!
    if (difference !== 0) return difference
  }
  return 0
}

/**
 * Leaves the first row of each (customer, key) in `order`; the others are copied out. Equal rows have equal sorted
 * words, so that only neighbours whose words are alike are looked at.
 */
function separateRepeats(batch: EventBatch, words: Uint32Array, indexBits: number): SortedBatch {
  const { size, order } = batch
  const keepKey = -(2 ** indexBits)
  const again: number[] = []
  let kept = 0
  for (let at = 0; at < size; at++) {
    const row = order[at]!
    const alike =
      at > 0 &&
      words[2 * at + 1] === words[2 * at - 1] &&
      (words[2 * at]! & keepKey) === (words[2 * at - 2]! & keepKey)
    if (alike && isSameEvent(batch, row, order[kept - 1]!)) again.push(row)
    else order[kept++] = row
  }
  return { order: order.subarray(0, kept), again: Uint32Array.from(again) }
}

function isSameEvent({ words, unsigned }: EventBatch, a: number, b: number): boolean {
  const customers =
    words[ROW_WORDS * a + CUSTOMER_NUMBER] === words[ROW_WORDS * b + CUSTOMER_NUMBER]
  return customers && compareKeys(unsigned, a, b) === 0
}
