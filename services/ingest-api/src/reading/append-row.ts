import {
  EVENT_LIMITS,
  type EventDateOptions,
  type LocalClock,
  type RejectReason,
  isFault,
  latestMicros,
  localClock,
  parseEventDate,
} from '@billtrail/domain'
import { formulaShift, hasControl, trimEnd, trimStart } from './cell-span'
import type { ColumnPlan } from './column-plan'
import {
  CUSTOMER,
  DEFAULT_TAIL,
  DERIVED,
  EVENT_TYPE,
  type EventBatch,
  KEY,
  LINE,
  MICROS,
  ROW_FLOATS,
  ROW_WORDS,
  TAIL_END,
  TAIL_START,
  reserveTail,
} from './event-batch'
import { hashContent, hashId } from './hash-id'
import type { NameTable } from './name-table'
import { readInstant } from './read-instant'
import { readUuid } from './read-uuid'
import { type RowCells, cellText } from './row-cells'
import { rowContent } from './row-content'
import type { AppendOptions } from './usage-reader'
import { type PropertyFault, writeProperties } from './write-properties'
import { NOT_A_DECIMAL, NUMERIC_BYTES_MAX, writeNumeric } from './write-numeric'

const DEFAULT_QUANTITY_BYTES = 14
// Read once: what a package exports is found anew at each look, which a row would do five times.
const { customerIdBytes, customerNameBytes, eventIdBytes, eventTypeBytes } = EVENT_LIMITS
const FIXED_TAIL_BYTES = 2 * NUMERIC_BYTES_MAX + 4 + eventIdBytes + 16

/**
 * Turns the cells of a row into a row of a batch.
 *
 * Invariant: a row is added whole or not at all. Everything is checked and written behind the batch's end first; a
 * refused row leaves no customer, no event type and no bytes behind. A class because its fields are read once per
 * row: V8 keeps them in one fixed shape.
 */
export class RowAppender {
  /** The cell at fault after `append` refused a row; -1 when the shape of the row is. */
  faultCell = -1
  private readonly customers: NameTable
  private readonly eventTypes: NameTable
  private readonly deriveIds: boolean
  private readonly dates: EventDateOptions
  private readonly clock: LocalClock
  private readonly latest: number
  private readonly propertyFault: PropertyFault = { reason: null, cell: -1 }
  /** The trimmed span that `span` found last. */
  private start = 0
  private end = 0

  constructor(options: AppendOptions, customers: NameTable, eventTypes: NameTable) {
    this.customers = customers
    this.eventTypes = eventTypes
    this.deriveIds = options.deriveIds ?? false
    this.clock = localClock(options.zone)
    this.dates = {
      clock: this.clock,
      nowMicros: options.now * 1000,
      allowFuture: options.allowFuture ?? false,
    }
    this.latest = latestMicros(this.dates)
  }

  /** Appends the row, whose text must be valid UTF-8; answers why not when it is refused, else null. */
  append(plan: ColumnPlan, cells: RowCells, line: number, batch: EventBatch): RejectReason | null {
    const row = batch.size
    const fault =
      this.checkNames(plan, cells) ??
      this.setDate(plan, cells, batch, row) ??
      this.setKeyAndTail(plan, cells, batch, row)
    if (fault !== null) return fault

    const { bytes } = cells
    this.span(cells, plan.customerId, plan.restoreFormulas)
    const customer = this.customers.intern(bytes, this.start, this.end)
    if (plan.customerName >= 0) this.describeCustomer(plan, cells, customer)
    batch.words[ROW_WORDS * row + CUSTOMER] = customer
    if (batch.words[ROW_WORDS * row + DERIVED] === 1) this.setContentKey(plan, cells, batch, row)
    this.span(cells, plan.eventType, plan.restoreFormulas)
    batch.words[ROW_WORDS * row + EVENT_TYPE] = this.eventTypes.intern(bytes, this.start, this.end)
    batch.words[ROW_WORDS * row + LINE] = line
    batch.tailsSize = Math.max(batch.tailsSize, batch.words[ROW_WORDS * row + TAIL_END]!)
    batch.size = row + 1
    return null
  }

  /** Finds a cell without the blanks around it and without the quote mark of a neutralised formula. */
  private span(cells: RowCells, cell: number, restoreFormulas: boolean): void {
    const { bytes } = cells
    let start = cells.starts[cell]!
    let end = cells.ends[cell]!
    if (start < end && (bytes[start]! <= 32 || bytes[end - 1]! <= 32)) {
      start = trimStart(bytes, start, end)
      end = trimEnd(bytes, start, end)
    }
    this.start = restoreFormulas ? start + formulaShift(bytes, start, end) : start
    this.end = end
  }

  private checkNames(plan: ColumnPlan, cells: RowCells): RejectReason | null {
    this.span(cells, plan.customerId, plan.restoreFormulas)
    if (this.start === this.end) return this.fail('missing_customer_id', plan.customerId)
    if (this.end - this.start > customerIdBytes) {
      return this.fail('customer_id_too_long', plan.customerId)
    }
    if (this.controlsIn(cells)) return this.fail('invalid_customer_id', plan.customerId)

    this.span(cells, plan.eventType, plan.restoreFormulas)
    if (this.start === this.end) return this.fail('missing_event_type', plan.eventType)
    if (this.end - this.start > eventTypeBytes) {
      return this.fail('event_type_too_long', plan.eventType)
    }
    if (this.controlsIn(cells)) return this.fail('invalid_event_type', plan.eventType)
    return plan.customerName < 0 ? null : this.checkCustomerName(plan, cells)
  }

  private checkCustomerName(plan: ColumnPlan, cells: RowCells): RejectReason | null {
    this.span(cells, plan.customerName, plan.restoreFormulas)
    if (this.end - this.start > customerNameBytes) {
      return this.fail('customer_name_too_long', plan.customerName)
    }
    // A name may hold tabs and line ends, as in other systems' files; PostgreSQL keeps everything but NUL.
    const nul = cells.controls && cells.bytes.subarray(this.start, this.end).includes(0)
    return nul ? this.fail('invalid_customer_name', plan.customerName) : null
  }

  private describeCustomer(plan: ColumnPlan, cells: RowCells, customer: number): void {
    if (this.customers.hasDescription(customer)) return
    this.span(cells, plan.customerName, plan.restoreFormulas)
    if (this.start === this.end) return
    const { buffer, byteOffset, byteLength } = cells.bytes
    const text = Buffer.from(buffer, byteOffset, byteLength).toString('utf8', this.start, this.end)
    this.customers.describe(customer, text)
  }

  private setDate(
    plan: ColumnPlan,
    cells: RowCells,
    batch: EventBatch,
    row: number,
  ): RejectReason | null {
    this.span(cells, plan.eventDate, false)
    const micros = readInstant(cells.bytes, this.start, this.end, this.clock)
    if (micros >= 0 && micros <= this.latest) {
      batch.floats[ROW_FLOATS * row + MICROS] = micros
      return null
    }
    const parsed = parseEventDate(cellText(cells, plan.eventDate), this.dates)
    if (isFault(parsed)) return this.fail(parsed.reason, plan.eventDate)
    batch.floats[ROW_FLOATS * row + MICROS] = parsed.micros
    return null
  }

  /** Sets key and tail; a row that needs no tail of its own gets the one at the front of the batch. */
  private setKeyAndTail(
    plan: ColumnPlan,
    cells: RowCells,
    batch: EventBatch,
    row: number,
  ): RejectReason | null {
    batch.words[ROW_WORDS * row + DERIVED] = 0
    const { eventId } = plan
    if (eventId >= 0) this.span(cells, eventId, plan.restoreFormulas)
    else this.start = this.end = 0
    const { start, end } = this
    const own = readUuid(cells.bytes, start, end, batch.unsigned, ROW_WORDS * row + KEY)
    if (!own) {
      if (start === end) {
        if (!this.deriveIds) return this.fail('missing_event_id', eventId)
        batch.words[ROW_WORDS * row + DERIVED] = 1
      } else {
        if (end - start > eventIdBytes) return this.fail('event_id_too_long', eventId)
        if (this.controlsIn(cells)) return this.fail('invalid_event_id', eventId)
        hashId(cells.bytes, start, end, batch.unsigned, ROW_WORDS * row + KEY)
      }
    }
    if (plan.plain && (own || start === end)) {
      batch.words[ROW_WORDS * row + TAIL_START] = 0
      batch.words[ROW_WORDS * row + TAIL_END] = DEFAULT_TAIL.length
      return null
    }
    return this.writeTail(plan, cells, batch, row, start, own ? start : end)
  }

  /** Writes quantity, price, the id where the key is its hash, and properties behind the tails so far. */
  private writeTail(
    plan: ColumnPlan,
    cells: RowCells,
    batch: EventBatch,
    row: number,
    idStart: number,
    idEnd: number,
  ): RejectReason | null {
    const rowBytes = cells.ends[Math.min(cells.count, cells.ends.length) - 1]! - cells.starts[0]!
    reserveTail(batch, FIXED_TAIL_BYTES + plan.nameBytes + rowBytes)
    const out = batch.tails
    let to = batch.tailsSize

    to = this.writeDecimal(cells, plan.quantity, out, to)
    if (to === NOT_A_DECIMAL) return this.fail('invalid_quantity', plan.quantity)
    if (to < 0) return this.fail('quantity_too_precise', plan.quantity)
    if (to === batch.tailsSize) {
      DEFAULT_TAIL.copy(out, to, 0, DEFAULT_QUANTITY_BYTES)
      to += DEFAULT_QUANTITY_BYTES
    }
    const price = to
    to = this.writeDecimal(cells, plan.unitPrice, out, to)
    if (to === NOT_A_DECIMAL) return this.fail('invalid_unit_price', plan.unitPrice)
    if (to < 0) return this.fail('unit_price_too_precise', plan.unitPrice)
    if (to === price) to = out.writeInt32BE(-1, to)

    to = out.writeInt32BE(idStart === idEnd ? -1 : idEnd - idStart, to)
    for (let from = idStart; from < idEnd; from++) out[to++] = cells.bytes[from]!
    to = writeProperties(plan, cells, out, to, this.propertyFault)
    if (to < 0) return this.fail(this.propertyFault.reason!, this.propertyFault.cell)

    batch.words[ROW_WORDS * row + TAIL_START] = batch.tailsSize
    batch.words[ROW_WORDS * row + TAIL_END] = to
    return null
  }

  /** Writes a decimal cell; the same position for an empty or absent one, a negative one for a fault. */
  private writeDecimal(cells: RowCells, cell: number, out: Buffer, at: number): number {
    if (cell < 0) return at
    this.span(cells, cell, false)
    return this.start === this.end ? at : writeNumeric(cells.bytes, this.start, this.end, out, at)
  }

  private setContentKey(plan: ColumnPlan, cells: RowCells, batch: EventBatch, row: number): void {
    this.span(cells, plan.customerId, plan.restoreFormulas)
    const customer = cells.bytes.subarray(this.start, this.end)
    this.span(cells, plan.eventType, plan.restoreFormulas)
    const eventType = cells.bytes.subarray(this.start, this.end)
    const tail = batch.tails.subarray(
      batch.words[ROW_WORDS * row + TAIL_START],
      batch.words[ROW_WORDS * row + TAIL_END],
    )
    const micros = batch.floats[ROW_FLOATS * row + MICROS]!
    hashContent(
      rowContent({ micros, customer, eventType, tail }),
      batch.unsigned,
      ROW_WORDS * row + KEY,
    )
  }

  private controlsIn(cells: RowCells): boolean {
    return cells.controls && hasControl(cells.bytes, this.start, this.end)
  }

  private fail(reason: RejectReason, cell: number): RejectReason {
    this.faultCell = cell
    return reason
  }
}
