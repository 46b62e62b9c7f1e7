import { EVENT_LIMITS, type RejectReason } from '@billtrail/domain'
import { formulaShift } from './cell-span'
import type { ColumnPlan } from './column-plan'
import type { RowCells } from './row-cells'

const { properties: propertiesMax, propertyValueBytes } = EVENT_LIMITS
const QUOTE = 34
const BACKSLASH = 92
const JSONB_VERSION = 1

/** A fault in a property and the cell that has it; one object, since rows are written one at a time. */
export interface PropertyFault {
  reason: RejectReason | null
  cell: number
}

/** The most bytes that one byte of a value takes in JSON: a control character, `\u0001`. */
export const JSON_BYTES_PER_BYTE = 6

/**
 * Writes the row's properties as a field of a binary COPY row: null when all their cells are empty, else PostgreSQL's
 * jsonb, which is a version and JSON text. Answers the position after it, or -1 with `fault` filled in.
 */
export function writeProperties(
  plan: ColumnPlan,
  cells: RowCells,
  out: Buffer,
  at: number,
  fault: PropertyFault,
): number {
  let to = at + 5
  let written = 0
  for (const { cell, key } of plan.properties) {
    const end = cells.ends[cell]!
    let start = cells.starts[cell]!
    if (start === end) continue
    if (plan.restoreFormulas) start += formulaShift(cells.bytes, start, end)
    if (end - start > propertyValueBytes) return fail(fault, 'property_too_long', cell)

    out[to++] = written === 0 ? 123 : 44
    for (let from = 0; from < key.length; from++) out[to++] = key[from]!
    to = writeJsonString(cells.bytes, start, end, out, to)
    if (to < 0) return fail(fault, 'invalid_property', cell)
    if (++written > propertiesMax) return fail(fault, 'too_many_properties', -1)
  }
  if (written === 0) {
    out.writeInt32BE(-1, at)
    return at + 4
  }
  out[to++] = 125
  out.writeInt32BE(to - at - 4, at)
  out[at + 4] = JSONB_VERSION
  return to
}

/** Writes valid UTF-8 as a JSON string; -1 when it holds a NUL, which PostgreSQL can't store. */
function writeJsonString(
  bytes: Uint8Array,
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
    } else if (byte === 0) {
      return -1
    } else {
      to += out.write(`\\u00${byte.toString(16).padStart(2, '0')}`, to, 'latin1')
    }
  }
  out[to++] = QUOTE
  return to
}

function fail(fault: PropertyFault, reason: RejectReason, cell: number): -1 {
  fault.reason = reason
  fault.cell = cell
  return -1
}
