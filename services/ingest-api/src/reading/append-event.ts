import { EVENT_COLUMNS, type RejectReason } from '@billtrail/domain'
import { RowAppender } from './append-row'
import { trimEnd, trimStart } from './cell-span'
import { type ColumnPlan, columnPlan } from './column-plan'
import type { EventBatch } from './event-batch'
import type { EventFields } from './event-from-json'
import { type JsonShape, learnShape, readShaped } from './json-shape'
import { type NameTable, createNameTable } from './name-table'
import { type RowCells, createRowCells } from './row-cells'
import type { AppendOptions } from './usage-reader'

const PLANS_KEPT = 256
const SHAPES_KEPT = 8
/** A sender whose events are each written in another way is not worth learning from for ever. */
const SHAPES_LEARNED_MAX = 64
/** Columns without which a row may do with less: the default tail. */
const OPTIONAL: ReadonlySet<string> = new Set(['quantity', 'unit_price'])
const LONE_SURROGATE = /\p{Surrogate}/u

export interface FieldRefusal {
  readonly reason: RejectReason
  readonly column: string | null
}

/** Where an event that was read from bytes has its ids, without the blanks around them. */
export interface WrittenIds {
  customerStart: number
  customerEnd: number
  idStart: number
  idEnd: number
}

/** Appends single events, from JSON bodies and lines, to a batch; they keep the same rules as the rows of a file. */
export interface EventAppender {
  readonly customers: NameTable
  readonly eventTypes: NameTable
  /** Was there a date without an offset, so that the zone mattered? */
  readonly hasLocalDate: boolean
  /** Appends the event; answers why not when it is refused. `line` is its line or position, from 1. */
  append(fields: EventFields, line: number, batch: EventBatch): FieldRefusal | null
  /**
   * Reads the event that begins at `start` straight from its bytes, valid UTF-8, if it is written like one that was
   * learned, for `appendWritten`. The position after it, or -1: then it must be parsed, and appended as a value.
   */
  readWritten(bytes: Uint8Array, start: number, end: number): number
  /** Appends the event that was read last, while its bytes are as they were. */
  appendWritten(line: number, batch: EventBatch): FieldRefusal | null
  /** Of the event that was read last. */
  readonly written: Readonly<WrittenIds>
  /** Remembers how an event is written that was appended as a value. */
  learn(bytes: Uint8Array, start: number, end: number): void
}

/** How events are written, learned by the appenders that share it, the way that was met last first. */
export type LearnedShapes = JsonShape[]

/** An appender with tables of its own, or those in the options. */
export function createEventAppender(
  options: AppendOptions & { readonly shapes?: LearnedShapes },
): EventAppender {
  const customers = options.customers ?? createNameTable()
  const eventTypes = options.eventTypes ?? createNameTable()
  const rows = new RowAppender(options, customers, eventTypes)
  const planFor = planCache()
  const shapes = shapeCache(options.shapes ?? [])
  const cells = createRowCells()
  const scratch = { bytes: Buffer.allocUnsafeSlow(4096) }
  const written: WrittenIds = { customerStart: 0, customerEnd: 0, idStart: 0, idEnd: 0 }
  let hasLocalDate = false

  const appendCells = (plan: ColumnPlan, line: number, batch: EventBatch): FieldRefusal | null => {
    hasLocalDate ||= isLocalDate(cells, plan.eventDate)
    const reason = rows.append(plan, cells, line, batch)
    if (reason === null) return null
    return { reason, column: rows.faultCell < 0 ? null : plan.names[rows.faultCell]! }
  }
  return {
    customers,
    eventTypes,
    written,
    get hasLocalDate() {
      return hasLocalDate
    },
    append(fields, line, batch) {
      const plan = planFor(fields)
      if (!loadCells(fields, cells, scratch)) return { reason: 'invalid_encoding', column: null }
      return appendCells(plan, line, batch)
    },
    readWritten(bytes, start, end) {
      const after = shapes.read(bytes, start, end, cells)
      if (after >= 0) findIds(written, shapes.last(), cells)
      return after
    },
    appendWritten: (line, batch) => appendCells(shapes.last(), line, batch),
    learn: (bytes, start, end) => shapes.learn(bytes, start, end),
  }
}

function findIds(
  ids: WrittenIds,
  { customerId, eventId }: ColumnPlan,
  { bytes, starts, ends }: RowCells,
): void {
  ids.customerEnd = trimEnd(bytes, starts[customerId]!, ends[customerId]!)
  ids.customerStart = trimStart(bytes, starts[customerId]!, ids.customerEnd)
  ids.idEnd = trimEnd(bytes, starts[eventId]!, ends[eventId]!)
  ids.idStart = trimStart(bytes, starts[eventId]!, ids.idEnd)
}

/** Has the date no offset? True also for what is no date. */
function isLocalDate({ bytes, starts, ends }: RowCells, cell: number): boolean {
  const end = trimEnd(bytes, starts[cell]!, ends[cell]!)
  const start = trimStart(bytes, starts[cell]!, end)
  if (bytes[end - 1] === 90 || bytes[end - 1] === 122) return false
  for (let at = start + 'yyyy-mm-dd'.length; at < end; at++) {
    if (bytes[at] === 43 || bytes[at] === 45) return false
  }
  return true
}

interface ShapeCache {
  /** Loads the cells of an event that has one of the shapes: the position after it, or -1. */
  read(bytes: Uint8Array, start: number, end: number, cells: RowCells): number
  /** The plan of the event that was read last. */
  last(): ColumnPlan
  learn(bytes: Uint8Array, start: number, end: number): void
}

/** The few ways in which the events at hand are written. */
function shapeCache(shapes: LearnedShapes): ShapeCache {
  let learned = 0
  return {
    last: () => shapes[0]!.plan,
    read(bytes, start, end, cells) {
      for (let i = 0; i < shapes.length; i++) {
        const after = readShaped(shapes[i]!, bytes, start, end, cells)
        if (after < 0) continue
        if (i > 0) shapes.unshift(...shapes.splice(i, 1))
        return after
      }
      return -1
    },
    learn(bytes, start, end) {
      if (learned === SHAPES_LEARNED_MAX) return
      learned++
      const shape = learnShape(bytes, start, end)
      if (shape === null) return
      shapes.unshift(shape)
      if (shapes.length > SHAPES_KEPT) shapes.pop()
    },
  }
}

/** Plans by the names that may be absent: events that come together mostly have the same ones. */
function planCache(): (fields: EventFields) => ColumnPlan {
  const plans = new Map<string, ColumnPlan>()
  return ({ known, properties }) => {
    const names = properties.map(([name]) => name)
    const columns = EVENT_COLUMNS.map((name, cell) => [name, cell] as const).filter(
      ([name]) => !OPTIONAL.has(name) || known[name] !== undefined,
    )
    const key = [columns.length, known.quantity === undefined, ...names].join('\0')
    let plan = plans.get(key)
    if (plan === undefined) {
      if (plans.size >= PLANS_KEPT) plans.clear()
      plan = columnPlan({
        names: [...EVENT_COLUMNS, ...names],
        known: Object.fromEntries(columns),
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
