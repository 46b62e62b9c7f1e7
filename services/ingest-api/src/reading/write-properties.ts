import { EVENT_LIMITS, type RejectReason } from '@billtrail/domain'
import { formulaShift } from './cell-span'
import type { ColumnPlan } from './column-plan'
import type { RowCells } from './row-cells'

const { properties: propertiesMax, propertyValueBytes } = EVENT_LIMITS

/** A fault in a property and the cell that has it; one object, since rows are written one at a time. */
export interface PropertyFault {
  reason: RejectReason | null
  cell: number
}

/**
 * Writes the row's properties as a field of a binary COPY row: null when all their cells are empty, else PostgreSQL's
 * hstore, which is how many there are, and of each the name and the value, either behind its length. No name comes twice
 * in a plan: hstore would keep any one of them. Answers the position after it, or -1 with `fault` filled in.
 */
export function writeProperties(
  plan: ColumnPlan,
  cells: RowCells,
  out: Buffer,
  at: number,
  fault: PropertyFault,
): number {
  const { properties, restoreFormulas } = plan
  const { bytes, starts, ends } = cells
  let to = at + 8
  let written = 0
  for (let property = 0; property < properties.length; property++) {
    const { cell, key } = properties[property]!
    const end = ends[cell]!
    let start = starts[cell]!
    if (start === end) continue
    if (restoreFormulas) start += formulaShift(bytes, start, end)
    const length = end - start
    if (length > propertyValueBytes) return fail(fault, 'property_too_long', cell)

    for (let from = 0; from < key.length; from++) out[to++] = key[from]!
    out[to++] = 0
    out[to++] = 0
    out[to++] = length >>> 8
    out[to++] = length
    to = writeText(bytes, start, end, out, to)
    if (to < 0) return fail(fault, 'invalid_property', cell)
    if (++written > propertiesMax) return fail(fault, 'too_many_properties', -1)
  }
  if (written === 0) {
    out.writeInt32BE(-1, at)
    return at + 4
  }
  out.writeInt32BE(to - at - 4, at)
  out.writeInt32BE(written, at + 4)
  return to
}

/** Copies text; -1 when it holds a NUL, which PostgreSQL can't store. */
function writeText(bytes: Uint8Array, start: number, end: number, out: Buffer, at: number): number {
  let to = at
  for (let from = start; from < end; from++) {
    const byte = bytes[from]!
    if (byte === 0) return -1
    out[to++] = byte
  }
  return to
}

function fail(fault: PropertyFault, reason: RejectReason, cell: number): -1 {
  fault.reason = reason
  fault.cell = cell
  return -1
}
