import { EVENT_LIMITS } from '@billtrail/domain'

const [QUOTE, BACKSLASH, COLON, COMMA] = [34, 92, 58, 44]
const [OPEN_OBJECT, CLOSE_OBJECT] = [123, 125]
const JSON_VERSION = 1
/** The most bytes that one byte of a text takes in JSON: a control character, `\u0001`. */
const JSON_BYTES_PER_BYTE = 6
const PREFIX = Buffer.from('event_content:')
/** Fields of a tail before its properties. */
const FIELDS_BEFORE = 3

export interface RowParts {
  readonly micros: number
  readonly customer: Uint8Array
  readonly eventType: Uint8Array
  readonly tail: Buffer
}

let scratch = Buffer.alloc(0)
/** Room to sort the properties of a row in. */
const pairStarts = new Int32Array(EVENT_LIMITS.properties)

/**
 * The bytes that the key of a row without an id is made of, good until the next call. Equal content, however spelled, is
 * equal bytes here: numbers and properties are canonical in the tail.
 *
 * They must never change, or a file that comes again would not find its events: the tail's properties are a version and JSON
 * text in them, as they were sent when the first such keys were stored.
 */
export function rowContent({ micros, customer, eventType, tail }: RowParts): Buffer {
  const room = JSON_BYTES_PER_BYTE * tail.length + customer.length + eventType.length + 64
  if (scratch.length < room) {
    scratch = Buffer.allocUnsafeSlow(2 * room)
    PREFIX.copy(scratch)
  }
  const out = scratch
  let to = out.writeDoubleBE(micros, PREFIX.length)
  to = out.writeUInt16BE(customer.length, to)
  to = out.writeUInt16BE(eventType.length, to)
  for (let from = 0; from < customer.length; from++) out[to++] = customer[from]!
  for (let from = 0; from < eventType.length; from++) out[to++] = eventType[from]!

  let properties = 0
  for (let field = 0; field < FIELDS_BEFORE; field++) {
    properties += 4 + Math.max(0, tail.readInt32BE(properties))
  }
  for (let from = 0; from < properties; from++) out[to++] = tail[from]!
  if (tail.readInt32BE(properties) < 0) return out.subarray(0, out.writeInt32BE(-1, to))
  const end = writeJson(tail, properties + 4, out, to + 5)
  out.writeInt32BE(end - to - 4, to)
  out[to + 4] = JSON_VERSION
  return out.subarray(0, end)
}

/** Writes the hstore at `start` of a tail as a JSON object, in the order of its names' bytes; where that ends. */
function writeJson(tail: Buffer, start: number, out: Buffer, at: number): number {
  const pairs = sortPairs(tail, start)
  let to = at
  for (let place = 0; place < pairs; place++) {
    const name = pairStarts[place]!
    out[to++] = place === 0 ? OPEN_OBJECT : COMMA
    const value = textEnd(tail, name)
    to = writeJsonString(tail, name + 4, value, out, to)
    out[to++] = COLON
    to = writeJsonString(tail, value + 4, textEnd(tail, value), out, to)
  }
  out[to++] = CLOSE_OBJECT
  return to
}

/** Leaves in `pairStarts` where the pairs of an hstore begin, which has shorter names first; answers how many they are. */
function sortPairs(tail: Buffer, start: number): number {
  const pairs = tail.readInt32BE(start)
  let pair = start + 4
  for (let place = 0; place < pairs; place++) {
    let hole = place
    while (hole > 0 && isNameBefore(tail, pair, pairStarts[hole - 1]!)) {
      pairStarts[hole] = pairStarts[hole - 1]!
      hole--
    }
    pairStarts[hole] = pair
    pair = textEnd(tail, textEnd(tail, pair))
  }
  return pairs
}

function isNameBefore(tail: Buffer, a: number, b: number): boolean {
  const [endOfA, endOfB] = [textEnd(tail, a), textEnd(tail, b)]
  let at = a + 4
  let other = b + 4
  while (at < endOfA && other < endOfB && tail[at] === tail[other]) {
    at++
    other++
  }
  return other < endOfB && (at === endOfA || tail[at]! < tail[other]!)
}

/** The end of the text whose length is at `at`. */
const textEnd = (tail: Buffer, at: number): number => at + 4 + tail.readInt32BE(at)

/** Writes valid UTF-8 as a JSON string; where that ends. */
function writeJsonString(
  bytes: Buffer,
  start: number,
  end: number,
  out: Buffer,
  at: number,
): number {
  let to = at
  out[to++] = QUOTE
  for (let from = start; from < end; from++) {
    const byte = bytes[from]!
    if (byte >= 32) {
      if (byte === QUOTE || byte === BACKSLASH) out[to++] = BACKSLASH
      out[to++] = byte
    } else {
      to += out.write(`\\u00${byte.toString(16).padStart(2, '0')}`, to, 'latin1')
    }
  }
  out[to++] = QUOTE
  return to
}
