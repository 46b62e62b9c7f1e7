import { COPY_HEADER, COPY_TRAILER, EPOCH_MICROS, TWO_32 } from './binary-format'
import {
  CUSTOMER_NUMBER,
  EVENT_TYPE,
  type EventBatch,
  KEY,
  MICROS,
  ROW_FLOATS,
  ROW_WORDS,
  TAIL_END,
  TAIL_START,
} from './event-batch'
import { GROUP_ROWS_MAX } from './find-groups'

/** Columns of a stored event that is compared, in this order. */
export const STORED_COLUMNS = [
  'customer_no',
  'event_key',
  'event_date',
  'event_type_no',
  'quantity',
  'unit_price',
  'event_id',
  'properties',
] as const

/** Rows of a sorted batch, by what is stored under their keys; each in the order given. */
export interface ComparedRows {
  /** Nothing. */
  readonly fresh: Uint32Array
  /** The same, byte for byte. */
  readonly alike: Uint32Array
  /** Something else, or the same in other bytes: only the database can tell. */
  readonly unlike: Uint32Array
}

const FRESH = 0
const ALIKE = 1
const UNLIKE = 2

/** Where in a row its fields begin, each behind its length: two bytes say how many there are. */
const CUSTOMER_AT = 2 + 4
const KEY_AT = CUSTOMER_AT + 4 + 4
const DATE_AT = KEY_AT + 16 + 4
const TYPE_AT = DATE_AT + 8 + 4
const TAIL_AT = TYPE_AT + 4
const TAIL_FIELDS = 4

/**
 * Compares the rows `order` of a sorted batch with those stored under their keys: binary COPY rows of `STORED_COLUMNS` in the
 * same order. Among them may be what one customer of a group (`findGroups`) has stored under the key of another. `add` takes
 * their bytes as they come, cut anywhere; `finish` answers when all have come, and throws where they are not what was asked
 * for. Equal bytes are equal values; the opposite does not hold.
 */
export function createStoredComparison(
  batch: EventBatch,
  order: Uint32Array,
  eventTypeNumbers: Int32Array,
): { add: (bytes: Buffer) => void; finish: () => ComparedRows } {
  const { unsigned } = batch
  const tails = new DataView(batch.tails.buffer, batch.tails.byteOffset, batch.tails.byteLength)
  const fates = new Uint8Array(order.length).fill(FRESH)
  let rest: Buffer = Buffer.alloc(0)
  let skip = COPY_HEADER.length
  let place = 0
  let isAstray = false

  /** Moves `place` to the row that has the customer and the key at `at`; false when there is none. */
  function seek(view: DataView, at: number): boolean {
    for (; place < order.length; place++) {
      const difference = compareRow(batch, order[place]!, view, at)
      if (difference >= 0) return difference === 0
    }
    return false
  }

  /** Is it under the key of another customer's row nearby? Then it was found with that, and concerns no row of its own. */
  function isOfNeighbour(view: DataView, at: number): boolean {
    const near = order.subarray(Math.max(0, place - GROUP_ROWS_MAX), place + GROUP_ROWS_MAX)
    const alike = near.filter((row) => compareKey(unsigned, row, view, at + KEY_AT) === 0)
    return alike.length > 0 && alike.every((row) => compareRow(batch, row, view, at) !== 0)
  }

  return {
    add(chunk) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      let at = skip
      for (let end = endOfRow(view, at); end > 0; end = endOfRow(view, at)) {
        if (seek(view, at)) {
          const stored = { view, at, end }
          const isAlike = isSameContent(batch, order[place]!, tails, eventTypeNumbers, stored)
          fates[place++] = isAlike ? ALIKE : UNLIKE
        } else {
          isAstray ||= !isOfNeighbour(view, at)
        }
        at = end
      }
      skip = Math.max(0, at - bytes.length)
      rest = bytes.subarray(Math.min(at, bytes.length))
    },
    finish() {
      // A row that is taken for new without having been compared could be stored twice.
      if (isAstray || !rest.equals(COPY_TRAILER)) {
        throw new Error('What is stored did not come as it was asked for.')
      }
      const [fresh, alike, unlike] = [FRESH, ALIKE, UNLIKE].map((fate) =>
        rowsOf(order, fates, fate),
      )
      return { fresh: fresh!, alike: alike!, unlike: unlike! }
    },
  }
}

function rowsOf(order: Uint32Array, fates: Uint8Array, fate: number): Uint32Array {
  const rows = new Uint32Array(order.length)
  let size = 0
  for (let place = 0; place < order.length; place++) {
    rows[size] = order[place]!
    if (fates[place] === fate) size++
  }
  return rows.subarray(0, size)
}

/** Where the row that begins at `at` ends; 0 when its end has not come yet, or it is none. */
function endOfRow(view: DataView, at: number): number {
  let end = at + TAIL_AT
  for (let field = 0; field < TAIL_FIELDS; field++) {
    if (end + 4 > view.byteLength) return 0
    end += 4 + Math.max(0, view.getInt32(end))
  }
  return end <= view.byteLength ? end : 0
}

/** By customer, then by key. */
function compareRow(
  { words, unsigned }: EventBatch,
  row: number,
  view: DataView,
  at: number,
): number {
  const customer = words[ROW_WORDS * row + CUSTOMER_NUMBER]! - view.getInt32(at + CUSTOMER_AT)
  return customer === 0 ? compareKey(unsigned, row, view, at + KEY_AT) : customer
}

function compareKey(unsigned: Uint32Array, row: number, view: DataView, at: number): number {
  const key = ROW_WORDS * row + KEY
  for (let word = 0; word < 4; word++) {
    const difference = unsigned[key + word]! - view.getUint32(at + 4 * word)
    if (difference !== 0) return difference
  }
  return 0
}

interface StoredRow {
  readonly view: DataView
  readonly at: number
  readonly end: number
}

function isSameContent(
  { words, floats }: EventBatch,
  row: number,
  tails: DataView,
  eventTypeNumbers: Int32Array,
  { view, at, end }: StoredRow,
): boolean {
  const word = ROW_WORDS * row
  const sinceEpoch = floats[ROW_FLOATS * row + MICROS]! - EPOCH_MICROS
  const high = Math.floor(sinceEpoch / TWO_32)
  if (view.getInt32(at + DATE_AT) !== high) return false
  if (view.getUint32(at + DATE_AT + 4) !== sinceEpoch - high * TWO_32) return false
  if (view.getInt32(at + TYPE_AT) !== eventTypeNumbers[words[word + EVENT_TYPE]!]) return false
  const start = words[word + TAIL_START]!
  const size = end - at - TAIL_AT
  if (words[word + TAIL_END]! - start !== size) return false
  return isSameBytes({ view, at: at + TAIL_AT }, { view: tails, at: start }, size)
}

interface Position {
  readonly view: DataView
  readonly at: number
}

/** Four at a time: it is most of what comparing costs. */
function isSameBytes(a: Position, b: Position, size: number): boolean {
  let i = 0
  for (; i + 4 <= size; i += 4) {
    if (a.view.getInt32(a.at + i) !== b.view.getInt32(b.at + i)) return false
  }
  for (; i < size; i++) if (a.view.getUint8(a.at + i) !== b.view.getUint8(b.at + i)) return false
  return true
}
