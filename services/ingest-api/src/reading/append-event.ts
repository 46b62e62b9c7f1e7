import { EVENT_COLUMNS, type RejectReason } from '@billtrail/domain'
import { RowAppender } from './append-row'
import { type ColumnPlan, columnPlan } from './column-plan'
import type { EventBatch } from './event-batch'
import type { EventFields } from './event-from-json'
import { type NameTable, createNameTable } from './name-table'
import { type RowCells, createRowCells } from './row-cells'
import type { AppendOptions } from './usage-reader'

const PLANS_KEPT = 256
const LONE_SURROGATE = /\p{Surrogate}/u

export interface FieldRefusal {
  readonly reason: RejectReason
  readonly column: string | null
}

/** Appends single events, from JSON bodies and lines, to a batch; they keep the same rules as the rows of a file. */
export interface EventAppender {
  readonly customers: NameTable
  readonly eventTypes: NameTable
  /** Appends the event; answers why not when it is refused. `line` is its line or position, from 1. */
  append(fields: EventFields, line: number, batch: EventBatch): FieldRefusal | null
}

/** An appender with tables of its own, or those in the options. */
export function createEventAppender(options: AppendOptions): EventAppender {
  const customers = options.customers ?? createNameTable()
  const eventTypes = options.eventTypes ?? createNameTable()
  const rows = new RowAppender(options, customers, eventTypes)
  const planFor = planCache()
  const cells = createRowCells()
  const scratch = { bytes: Buffer.allocUnsafeSlow(4096) }
  return {
    customers,
    eventTypes,
    append(fields, line, batch) {
      const plan = planFor(fields)
      if (!loadCells(fields, cells, scratch)) return { reason: 'invalid_encoding', column: null }
      const reason = rows.append(plan, cells, line, batch)
      if (reason === null) return null
      return { reason, column: rows.faultCell < 0 ? null : plan.names[rows.faultCell]! }
    },
  }
}

/** Plans by their property names: events that come together mostly have the same ones. */
function planCache(): (fields: EventFields) => ColumnPlan {
  const plans = new Map<string, ColumnPlan>()
  return ({ properties }) => {
    const names = properties.map(([name]) => name)
    const key = names.join('\0')
    let plan = plans.get(key)
    if (plan === undefined) {
      if (plans.size >= PLANS_KEPT) plans.clear()
      plan = columnPlan({
        names: [...EVENT_COLUMNS, ...names],
        known: Object.fromEntries(EVENT_COLUMNS.map((name, cell) => [name, cell])),
        properties: names.map((name, i) => ({ name, cell: EVENT_COLUMNS.length + i })),
        restoreFormulas: false,
      })
      plans.set(key, plan)
    }
    return plan
  }
}

/** Writes the fields as cells, in the order of the plan; false when a text is no Unicode. */
function loadCells(fields: EventFields, cells: RowCells, scratch: { bytes: Buffer }): boolean {
  const texts = [
    ...EVENT_COLUMNS.map((column) => fields.known[column] ?? ''),
    ...fields.properties.map(([, value]) => value),
  ]
  const all = texts.join('')
  if (LONE_SURROGATE.test(all)) return false
  const room = 3 * all.length
  if (scratch.bytes.length < room) scratch.bytes = Buffer.allocUnsafeSlow(2 * room)

  let at = 0
  for (const [cell, text] of texts.entries()) {
    cells.starts[cell] = at
    at += scratch.bytes.write(text, at)
    cells.ends[cell] = at
  }
  cells.bytes = scratch.bytes
  cells.count = texts.length
  cells.controls = true
  return true
}
