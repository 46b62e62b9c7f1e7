import { EVENT_LIMITS, type RejectReason } from '@billtrail/domain'
import { type EventAppender, type FieldRefusal, createEventAppender } from './append-event'
import { ByteWindow } from './byte-window'
import { type EventBatch, isFull } from './event-batch'
import { eventFromJson } from './event-from-json'
import type { NameTable } from './name-table'
import { parseExactJson } from './parse-exact-json'
import { type RowAccount, createRowAccount } from './row-account'
import { CR, LF } from './split-row'
import type { FileLayout, ReadCounts, ReaderOptions, UsageReader } from './usage-reader'

/** A reader of NDJSON: one event (our own object or a CloudEvent) on each line. */
export function createNdjsonReader(options: ReaderOptions): UsageReader {
  return new NdjsonReader(options)
}

/** Invariant: `line` is the line of the file at `window.start`, which is the start of a line unless `skipping`. */
class NdjsonReader implements UsageReader {
  readonly customers: NameTable
  readonly eventTypes: NameTable
  private readonly window = new ByteWindow()
  private readonly appender: EventAppender
  private readonly account: RowAccount
  private line = 1
  private skipping = false
  private wanted = 1

  constructor(options: ReaderOptions) {
    this.appender = createEventAppender(options)
    this.customers = this.appender.customers
    this.eventTypes = this.appender.eventTypes
    this.account = createRowAccount(options.onReject)
  }

  counts(): ReadCounts {
    return { rows: this.account.rows, rejected: this.account.rejected, bytes: this.window.received }
  }

  layout(): FileLayout {
    return {}
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
      this.readLines(batch)
      if (this.window.final && this.window.size === 0) return isFull(batch)
    }
    return true
  }

  private readLines(batch: EventBatch): void {
    const { window } = this
    this.wanted = 1
    while (window.size > 0 && !isFull(batch)) {
      const lineEnd = window.bytes.indexOf(LF, window.start)
      if (lineEnd >= window.end && !window.final) {
        this.awaitLineEnd()
        return
      }
      if (this.skipping) this.skipping = false
      else this.readLine(lineEnd, batch)
      this.line++
      window.start = Math.min(lineEnd + 1, window.end)
    }
  }

  /** The line goes on beyond the window; one that is too long is rejected by its beginning and then dropped. */
  private awaitLineEnd(): void {
    const { window } = this
    if (!this.skipping && window.size <= EVENT_LIMITS.rowBytes) {
      this.wanted = 2 * window.size
      return
    }
    if (!this.skipping) this.reject(window.end, null, 'row_too_long')
    this.skipping = true
    window.start = window.end
  }

  private readLine(lineEnd: number, batch: EventBatch): void {
    const { window } = this
    const end = lineEnd > window.start && window.bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd
    if (lineEnd - window.start > EVENT_LIMITS.rowBytes) {
      this.reject(end, null, 'row_too_long')
      return
    }
    if (!window.isValid(window.start, end)) {
      this.reject(end, null, 'invalid_encoding')
      return
    }
    if (this.appender.readWritten(window.bytes, window.start, end) === end) {
      this.settle(end, this.appender.appendWritten(this.line, batch))
      return
    }
    const text = window.bytes.toString('utf8', window.start, end)
    if (/^[ \t]*$/.test(text)) return
    const value = parsed(text)
    if (value === undefined) {
      this.reject(end, null, 'invalid_json')
      return
    }
    const event = eventFromJson(value)
    if ('reason' in event) {
      this.reject(end, event.field, event.reason)
      return
    }
    const refusal = this.appender.append(event, this.line, batch)
    if (refusal === null) this.appender.learn(window.bytes, window.start, end)
    this.settle(end, refusal)
  }

  private settle(end: number, refusal: FieldRefusal | null): void {
    if (refusal === null) this.account.accept()
    else this.reject(end, refusal.column, refusal.reason)
  }

  private reject(end: number, column: string | null, reason: RejectReason): void {
    this.account.reject(
      this.line,
      column,
      reason,
      this.window.bytes.subarray(this.window.start, end),
    )
  }
}

function parsed(text: string): unknown {
  try {
    return parseExactJson(text)
  } catch {
    return undefined
  }
}
