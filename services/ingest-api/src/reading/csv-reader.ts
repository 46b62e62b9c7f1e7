import { DomainError, EVENT_LIMITS, type RejectReason, localClock } from '@billtrail/domain'
import { RowAppender } from './append-row'
import { ByteWindow } from './byte-window'
import type { ColumnPlan } from './column-plan'
import { type Delimiter, detectDelimiter, rowTexts } from './csv-dialect'
import { type HeaderOptions, headerPlan, headerlessPlan, isHeaderless } from './csv-header'
import { type EventBatch, isFull } from './event-batch'
import { type NameTable, createNameTable } from './name-table'
import { type RowAccount, createRowAccount } from './row-account'
import { type RowCells, createRowCells } from './row-cells'
import {
  CR,
  INCOMPLETE,
  LF,
  ROW,
  type SplitOutcome,
  TEXT_AFTER_QUOTE,
  byteKinds,
  splitRow,
} from './split-row'
import type { FileLayout, ReadCounts, ReaderOptions, UsageReader } from './usage-reader'

const { rowBytes } = EVENT_LIMITS
/** Reading on after broken quotes may cost this many bytes more than the file has. */
const RESCAN_ALLOWANCE = 16 * 1024 * 1024

/** A reader of CSV: RFC 4180 with LF or CRLF, with a header or with exactly four columns and none. */
export function createCsvReader(options: ReaderOptions): UsageReader {
  return new CsvReader(options)
}

/**
 * Invariants: `line` is the line of the file at `window.start`, which is the start of a row (or, while `skipping`, of
 * the rest of an over-long one). Every row is either appended to the batch or rejected.
 *
 * A row whose quotes are broken ends at its first line end, so that one stray quote costs one line and not the rest
 * of the file. A class because it is the hot loop: V8 keeps its fields in one fixed shape.
 */
class CsvReader implements UsageReader {
  readonly customers: NameTable
  readonly eventTypes: NameTable
  private readonly window = new ByteWindow()
  private readonly cells: RowCells = createRowCells()
  private readonly account: RowAccount
  private readonly appender: RowAppender
  private readonly header: HeaderOptions
  private delimiter: Delimiter | undefined
  private headerText: string | undefined
  private kinds = byteKinds(44)
  private plan: ColumnPlan | null = null
  private line = 1
  private skipping = false
  private rescanned = 0
  /** Bytes from the row's start that must be there before it is worth looking again. */
  private wanted = 1

  constructor(options: ReaderOptions) {
    this.customers = options.customers ?? createNameTable()
    this.eventTypes = options.eventTypes ?? createNameTable()
    this.account = createRowAccount(options.onReject)
    this.appender = new RowAppender(options, this.customers, this.eventTypes)
    this.delimiter = options.delimiter
    const dates = {
      clock: localClock(options.zone),
      nowMicros: options.now * 1000,
      allowFuture: options.allowFuture ?? false,
    }
    this.header = { columns: options.columns ?? {}, deriveIds: options.deriveIds ?? false, dates }
  }

  counts(): ReadCounts {
    return { rows: this.account.rows, rejected: this.account.rejected, bytes: this.window.received }
  }

  layout(): FileLayout {
    return {
      ...(this.delimiter === undefined ? {} : { delimiter: this.delimiter }),
      ...(this.headerText === undefined ? {} : { header: this.headerText }),
    }
  }

  write(chunk: Uint8Array): void {
    this.window.write(chunk)
  }

  end(): void {
    this.window.finish()
  }

  fill(batch: EventBatch): boolean {
    if (batch.size === 0) {
      this.customers.resetIfLarge(batch.capacity)
      this.eventTypes.resetIfLarge(batch.capacity)
    }
    while (!isFull(batch)) {
      if (!this.window.refill(this.wanted)) return false
      if (this.plan === null) this.readHeader()
      if (this.plan !== null) this.readRows(batch, this.plan)
      if (this.window.final && this.window.size === 0) {
        if (this.plan === null)
          throw new DomainError('invalid', 'empty_file', 'The file has no rows.')
        return isFull(batch)
      }
    }
    return true
  }

  /** Finds dialect and columns in the first row that is not blank; leaves the plan null when more must be seen. */
  private readHeader(): void {
    const { window, cells } = this
    this.wanted = 1
    this.skipBlankLines()
    if (window.size === 0) return
    const delimiter = this.delimiter ?? detectDelimiter(window, cells, this.header)
    this.wanted = 2 * window.size
    if (delimiter === null) return
    this.delimiter = delimiter

    this.kinds = byteKinds(delimiter.charCodeAt(0))
    const outcome = splitRow(
      cells,
      this.kinds,
      window.bytes,
      window.start,
      window.end,
      window.final,
    )
    if (outcome === INCOMPLETE && window.size <= rowBytes) return
    if (outcome !== ROW || !window.isValid(window.start, cells.end)) {
      throw new DomainError(
        'invalid',
        'unreadable_header',
        'The first row can not be read as a row of text.',
      )
    }
    this.wanted = 1
    const header = rowTexts(cells)
    if (isHeaderless(header, this.header)) {
      this.plan = headerlessPlan()
      return
    }
    this.plan = headerPlan(header, this.header)
    this.headerText = Buffer.from(window.bytes.subarray(window.start, cells.end)).toString('utf8')
    this.line += cells.lines
    window.start = cells.next
  }

  private skipBlankLines(): void {
    const { window } = this
    while (window.size > 0) {
      const byte = window.bytes[window.start]!
      if (byte !== LF && byte !== CR) return
      // Without the byte after it, CR may be half of a line end.
      if (byte === CR && window.size === 1 && !window.final) return
      if (byte === LF || window.bytes[window.start + 1] !== LF || window.size === 1) this.line++
      window.start++
    }
  }

  /** Reads rows into the batch until it is full or the window has no whole row left. */
  private readRows(batch: EventBatch, plan: ColumnPlan): void {
    const { window, cells, kinds } = this
    const { bytes, end, final } = window
    this.wanted = 1
    while (window.start < end && !isFull(batch)) {
      if (this.skipping && !this.skipLongRow()) return
      const outcome = splitRow(cells, kinds, bytes, window.start, end, final)
      if (outcome !== ROW || cells.next - window.start > rowBytes) {
        if (!this.handleOddRow(outcome)) return
        continue
      }
      if (!this.isBlankLine()) {
        const reason = this.checkShape(plan) ?? this.appender.append(plan, cells, this.line, batch)
        if (reason === null) this.account.accept()
        else this.rejectRow(plan, reason)
      }
      this.line += cells.lines
      window.start = cells.next
    }
  }

  private isBlankLine(): boolean {
    const { cells, window } = this
    if (cells.count > 1 || cells.quoted) return false
    for (let at = window.start; at < cells.end; at++) {
      if (window.bytes[at] !== 32 && window.bytes[at] !== 9) return false
    }
    return true
  }

  private checkShape(plan: ColumnPlan): RejectReason | null {
    const { cells, window } = this
    this.appender.faultCell = -1
    if (!window.isValid(window.start, cells.end)) return 'invalid_encoding'
    if (cells.count !== plan.names.length) {
      return cells.count < plan.names.length ? 'too_few_cells' : 'too_many_cells'
    }
    for (const cell of plan.unnamed) {
      if (cells.starts[cell] !== cells.ends[cell]) return 'value_without_header'
    }
    return null
  }

  private rejectRow(plan: ColumnPlan, reason: RejectReason): void {
    const { window, cells, appender } = this
    const column = appender.faultCell < 0 ? null : plan.names[appender.faultCell]!
    this.account.reject(this.line, column, reason, window.bytes.subarray(window.start, cells.end))
  }

  /** A row that is unfinished, broken or too long; false when more input is needed before going on. */
  private handleOddRow(outcome: SplitOutcome): boolean {
    const { window, cells } = this
    const tooLong = window.size > rowBytes
    if (outcome === INCOMPLETE && !tooLong) {
      this.wanted = 2 * window.size
      return false
    }
    if (outcome === ROW) {
      this.account.reject(
        this.line,
        null,
        'row_too_long',
        window.bytes.subarray(window.start, cells.end),
      )
      this.line += cells.lines
      window.start = cells.next
      return true
    }
    if (outcome === INCOMPLETE && !cells.open) return this.startSkipping()
    return this.endBrokenRow(
      outcome === TEXT_AFTER_QUOTE ? 'text_after_quote' : 'unclosed_quote',
      tooLong,
    )
  }

  /** Ends a row with broken quotes at its first line end, or where it was seen to be broken if that costs too much. */
  private endBrokenRow(reason: RejectReason, tooLong: boolean): boolean {
    const { window, cells } = this
    this.rescanned += cells.end - window.start
    const affordable = this.rescanned <= window.received + RESCAN_ALLOWANCE
    const searchFrom = affordable ? window.start : cells.end
    const lineEnd = endOfLine(window.bytes, searchFrom, window.end)
    const seen =
      lineEnd < window.end && !(window.bytes[lineEnd] === CR && lineEnd + 1 === window.end)
    if (!seen && !window.final) {
      if (tooLong) return this.startSkipping()
      this.wanted = 2 * window.size
      return false
    }
    this.account.reject(this.line, null, reason, window.bytes.subarray(window.start, lineEnd))
    this.line += affordable ? 1 : cells.lines
    window.start = afterLineEnd(window.bytes, lineEnd, window.end)
    return true
  }

  /** Rejects an over-long row by its beginning; the rest of its line is dropped as it comes. */
  private startSkipping(): boolean {
    const { window, cells } = this
    this.account.reject(
      this.line,
      null,
      'row_too_long',
      window.bytes.subarray(window.start, cells.end),
    )
    this.line += cells.lines - 1
    window.start = cells.end
    this.skipping = true
    return true
  }

  /** Drops the rest of an over-long row; false when its end has not come yet. */
  private skipLongRow(): boolean {
    const { window } = this
    const lineEnd = endOfLine(window.bytes, window.start, window.end)
    const seen =
      lineEnd < window.end && !(window.bytes[lineEnd] === CR && lineEnd + 1 === window.end)
    if (!seen && !window.final) {
      window.start = lineEnd
      this.wanted = window.size + 1
      return false
    }
    this.line++
    this.skipping = false
    window.start = afterLineEnd(window.bytes, lineEnd, window.end)
    return window.start < window.end
  }
}

/** Position of the first LF or CR in `[from, to)`, else `to`. */
function endOfLine(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  while (at < to && bytes[at] !== LF && bytes[at] !== CR) at++
  return at
}

function afterLineEnd(bytes: Uint8Array, lineEnd: number, to: number): number {
  if (lineEnd >= to) return to
  return bytes[lineEnd] === CR && bytes[lineEnd + 1] === LF && lineEnd + 1 < to
    ? lineEnd + 2
    : lineEnd + 1
}
