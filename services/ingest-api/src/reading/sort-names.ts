/** Bytes of a name that are compared at a time. They share 64 bits with the place of the name. */
const KEY_BYTES = 5
const PLACE_BITS = 24
const PLACE_MASK = 2 ** PLACE_BITS - 1
/** Below this a run is sorted by insertion: the native sort has a cost of its own. */
const INSERTION_MAX = 16

/** Names by their bytes: name `i` is `bytes[starts[i] .. starts[i + 1])`. No two are alike. */
export interface NameBytes {
  readonly bytes: Uint8Array
  readonly starts: Uint32Array
}

/**
 * The indexes `from` to `to`, at most 2^24 of them, in the order of their names' bytes: that of the database's index.
 * As in `sortBatch`, each name becomes 64 bits (its bytes after those that all have in common, and its place) that are
 * sorted natively; names alike in these are sorted again by the bytes that follow.
 */
export function sortNames(names: NameBytes, from: number, to: number): Uint32Array {
  const order = new Uint32Array(to - from)
  for (let at = 0; at < order.length; at++) order[at] = from + at
  sortRun({ names, from, order, space: new BigUint64Array(order.length) }, 0, order.length, 0)
  return order
}

interface Sorting {
  readonly names: NameBytes
  readonly from: number
  readonly order: Uint32Array
  readonly space: BigUint64Array
}

/** Sorts `order[start .. end)`, whose names have their first `offset` bytes in common. */
function sortRun(sorting: Sorting, start: number, end: number, offset: number): void {
  const { names, order, space, from } = sorting
  const shared = sharedBytes(sorting, start, end, offset)
  if (end - start <= INSERTION_MAX) {
    insertionSort(sorting, start, end, shared)
    return
  }
  const words = new Uint32Array(space.buffer)
  for (let at = start; at < end; at++) {
    const index = order[at]!
    const first = names.starts[index]! + shared
    const last = names.starts[index + 1]!
    words[2 * at + 1] =
      (byteAt(names, first, last) << 24) |
      (byteAt(names, first + 1, last) << 16) |
      (byteAt(names, first + 2, last) << 8) |
      byteAt(names, first + 3, last)
    words[2 * at] = (byteAt(names, first + 4, last) << PLACE_BITS) | (index - from)
  }
  space.subarray(start, end).sort()
  for (let at = start; at < end; at++) order[at] = from + (words[2 * at]! & PLACE_MASK)

  let run = start
  for (let at = start + 1; at <= end; at++) {
    const isAlike =
      at < end &&
      words[2 * at + 1] === words[2 * run + 1] &&
      words[2 * at]! >>> PLACE_BITS === words[2 * run]! >>> PLACE_BITS
    if (isAlike) continue
    if (at - run > 1) sortRun(sorting, run, at, shared + KEY_BYTES)
    run = at
  }
}

/** No name holds NUL, so that one which ends comes before all that go on. */
const byteAt = ({ bytes }: NameBytes, at: number, end: number): number =>
  at < end ? bytes[at]! : 0

/** How many of their first bytes the names of `order[start .. end)` have in common, `offset` or more. */
function sharedBytes(
  { names, order }: Sorting,
  start: number,
  end: number,
  offset: number,
): number {
  const { bytes, starts } = names
  const first = starts[order[start]!]!
  let shared = starts[order[start]! + 1]! - first
  for (let at = start + 1; at < end && shared > offset; at++) {
    const other = starts[order[at]!]!
    const length = Math.min(shared, starts[order[at]! + 1]! - other)
    shared = offset
    while (shared < length && bytes[first + shared] === bytes[other + shared]) shared++
  }
  return Math.max(shared, offset)
}

function insertionSort(
  { names, order }: Sorting,
  start: number,
  end: number,
  offset: number,
): void {
  for (let at = start + 1; at < end; at++) {
    const index = order[at]!
    let hole = at
    while (hole > start && isAfter(names, order[hole - 1]!, index, offset)) {
      order[hole] = order[hole - 1]!
      hole--
    }
    order[hole] = index
  }
}

function isAfter({ bytes, starts }: NameBytes, a: number, b: number, offset: number): boolean {
  const [endA, endB] = [starts[a + 1]!, starts[b + 1]!]
  let [atA, atB] = [starts[a]! + offset, starts[b]! + offset]
  while (atA < endA && atB < endB && bytes[atA] === bytes[atB]) {
    atA++
    atB++
  }
  return atB >= endB || (atA < endA && bytes[atA]! > bytes[atB]!)
}
