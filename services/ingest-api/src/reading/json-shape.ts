import { EVENT_COLUMNS, EVENT_LIMITS, propertyNameFault } from '@billtrail/domain'
import { type ColumnPlan, columnPlan } from './column-plan'
import type { RowCells } from './row-cells'

const [QUOTE, BACKSLASH, COLON, COMMA] = [34, 92, 58, 44]
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [123, 125, 91, 93]
const [MINUS, POINT, ZERO] = [45, 46, 48]
const [TRUE, FALSE, NULL] = ['true', 'false', 'null'].map((text) => Buffer.from(text))

const KNOWN: ReadonlySet<string> = new Set(EVENT_COLUMNS)
const REQUIRED = ['customer_id', 'event_type', 'event_id', 'event_date']

/**
 * How a sender writes an event: what stands around the values. One program writes all its events alike, so that the
 * next one is read by comparing bytes, and its values are where they are: no object, no string is made of it.
 *
 * Invariant: what `readShaped` takes is JSON, and means what `eventFromJson` would make of it.
 */
export interface JsonShape {
  readonly plan: ColumnPlan
  /** What stands before each value, and behind the last. */
  readonly parts: readonly Uint8Array[]
  /** Of each value: is it a property's, which may be true or false? */
  readonly isProperty: readonly boolean[]
}

/**
 * Reads the event at `start` into `cells` when it has this shape and its values are plain (no escapes, no exponents).
 * The position after it, or -1: then `cells` mean nothing. The bytes must be valid UTF-8.
 */
export function readShaped(
  { parts, isProperty }: JsonShape,
  bytes: Uint8Array,
  start: number,
  end: number,
  cells: RowCells,
): number {
  const count = isProperty.length
  let at = after(parts[0]!, bytes, start)
  for (let cell = 0; cell < count && at >= 0; cell++) {
    at = readValue(bytes, at, end, cells, cell, isProperty[cell]!)
    if (at >= 0) at = after(parts[cell + 1]!, bytes, at)
  }
  if (at > end) return -1
  cells.bytes = bytes
  cells.count = count
  cells.controls = true
  return at
}

/** The position after `part` where it stands at `at`, else -1. */
function after(part: Uint8Array, bytes: Uint8Array, at: number): number {
  let from = at
  for (let i = 0; i < part.length; i++, from++) if (bytes[from] !== part[i]) return -1
  return from
}

function readValue(
  bytes: Uint8Array,
  start: number,
  end: number,
  cells: RowCells,
  cell: number,
  isProperty: boolean,
): number {
  let at = start
  if (bytes[at] === QUOTE) {
    cells.starts[cell] = ++at
    while (at < end && bytes[at] !== QUOTE) {
      if (bytes[at]! < 32 || bytes[at] === BACKSLASH) return -1
      at++
    }
    cells.ends[cell] = at
    return at < end ? at + 1 : -1
  }
  cells.starts[cell] = start
  at = afterNumber(bytes, start, end)
  if (at < 0 && isProperty) {
    at = after(TRUE!, bytes, start)
    if (at < 0) at = after(FALSE!, bytes, start)
  }
  cells.ends[cell] = at < 0 ? start : at
  return at < 0 ? after(NULL!, bytes, start) : at
}

/** A number without exponent. What follows it is for the next part to compare. */
function afterNumber(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start] === MINUS ? start + 1 : start
  let at = afterDigits(bytes, first, end)
  if (at === first || (bytes[first] === ZERO && at > first + 1)) return -1
  if (at < end && bytes[at] === POINT) {
    const fraction = at + 1
    at = afterDigits(bytes, fraction, end)
    if (at === fraction) return -1
  }
  return at
}

function afterDigits(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && bytes[at]! >= ZERO && bytes[at]! <= ZERO + 9) at++
  return at
}

interface Field {
  readonly name: string
  readonly isProperty: boolean
  /** Where its value is. */
  readonly start: number
  readonly end: number
}

/**
 * The shape of an event of our own kind, `bytes[start .. end)`, which `eventFromJson` has taken. Null for one that is
 * better read as a value each time: a CloudEvent, names with escapes, a column that is missing.
 */
export function learnShape(bytes: Uint8Array, start: number, end: number): JsonShape | null {
  const fields: Field[] = []
  const close = collectFields({ bytes, end, inProperties: false }, start, fields)
  const names = fields.map((field) => field.name)
  const properties = fields
    .map(({ name, isProperty }, cell) => ({ name, cell, isProperty }))
    .filter((field) => field.isProperty)
  if (
    close < 0 ||
    new Set(names).size < names.length ||
    !REQUIRED.every((name) => names.includes(name)) ||
    properties.length > EVENT_LIMITS.properties ||
    properties.some(({ name }) => propertyNameFault(name) !== null)
  ) {
    return null
  }
  const edges = [start, ...fields.flatMap((field) => [field.start, field.end]), close]
  return {
    plan: columnPlan({
      names,
      known: Object.fromEntries(
        names.map((name, cell) => [name, cell] as const).filter(([name]) => KNOWN.has(name)),
      ),
      properties,
      restoreFormulas: false,
    }),
    parts: Array.from({ length: fields.length + 1 }, (_part, i) =>
      Uint8Array.prototype.slice.call(bytes, edges[2 * i], edges[2 * i + 1]),
    ),
    isProperty: fields.map((field) => field.isProperty),
  }
}

interface ObjectAt {
  readonly bytes: Uint8Array
  readonly end: number
  readonly inProperties: boolean
}

/** Collects the fields of the object at `start`; the position after it, or -1 where it can have no shape. */
function collectFields(object: ObjectAt, start: number, fields: Field[]): number {
  const { bytes, end, inProperties } = object
  const seen = new Set<string>()
  let at = start
  if (bytes[at] !== OPEN_OBJECT) return -1
  at = afterBlanks(bytes, at + 1)
  if (bytes[at] === CLOSE_OBJECT) return at + 1
  while (at < end && bytes[at] === QUOTE) {
    const keyEnd = afterString(bytes, at, end)
    if (keyEnd < 0) return -1
    const name = textOf(bytes, at + 1, keyEnd - 1)
    if (name.includes('\\') || seen.has(name)) return -1
    if (!inProperties && name === 'specversion') return -1
    seen.add(name)
    at = afterBlanks(bytes, keyEnd)
    if (bytes[at] !== COLON) return -1
    at = afterBlanks(bytes, at + 1)
    if (!inProperties && name === 'properties') {
      at = collectFields({ ...object, inProperties: true }, at, fields)
    } else {
      const valueStart = at
      at = afterScalar(bytes, at, end)
      const isProperty = inProperties || !KNOWN.has(name)
      fields.push({ name, isProperty, start: valueStart, end: at })
    }
    if (at < 0) return -1
    at = afterBlanks(bytes, at)
    if (bytes[at] === CLOSE_OBJECT) return at + 1
    if (bytes[at] !== COMMA) return -1
    at = afterBlanks(bytes, at + 1)
  }
  return -1
}

const textOf = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')

/** The position after the blanks of JSON. */
export function afterBlanks(bytes: Uint8Array, start: number): number {
  let at = start
  while (bytes[at] === 32 || bytes[at] === 10 || bytes[at] === 13 || bytes[at] === 9) at++
  return at
}

/** The position after the string that opens at `start`, escapes or not; -1 when it is never closed. */
function afterString(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start + 1; at < end; at++) {
    if (bytes[at] === QUOTE) return at + 1
    if (bytes[at] === BACKSLASH) at++
  }
  return -1
}

function afterScalar(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] === QUOTE) return afterString(bytes, start, end)
  if (bytes[start] === OPEN_OBJECT || bytes[start] === OPEN_LIST) return -1
  let at = start
  while (at < end && afterBlanks(bytes, at) === at && !isBetween(bytes[at]!)) at++
  return at
}

const isBetween = (byte: number): boolean =>
  byte === COMMA || byte === CLOSE_OBJECT || byte === CLOSE_LIST

/**
 * Where the element of a list that begins at `start` ends: at the comma or bracket that follows. -1 when nothing does.
 * Right for every element that is JSON; of any other it finds something that is none either.
 */
export function elementEnd(bytes: Uint8Array, start: number, end: number): number {
  let depth = 0
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte === QUOTE) {
      at = afterString(bytes, at, end) - 1
      if (at < 0) return -1
    } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      depth++
    } else if (depth === 0 && isBetween(byte)) {
      return at
    } else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      depth--
    }
  }
  return -1
}
