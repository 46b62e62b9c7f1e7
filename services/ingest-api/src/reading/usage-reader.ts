import type { RejectReason } from '@billtrail/domain'
import type { EventBatch } from './event-batch'
import type { NameTable } from './name-table'

/** A row that was refused, as the sender should see it. */
export interface RejectedRow {
  /** The line of the file on which the row starts, counting every line from 1; for a JSON array the position. */
  readonly line: number
  /** The header of the column at fault; null when the shape of the row is. */
  readonly column: string | null
  readonly reason: RejectReason
  readonly message: string
  /** The row as it came, without its line end (UTF-16 is given as UTF-8; over-long rows are cut to 8 KiB). */
  readonly raw: Buffer
}

/** How fields are read, in every format. */
export interface AppendOptions {
  /** The IANA zone that dates without an offset are read in. */
  readonly zone: string
  /** Now, in milliseconds since 1970: dates may be one day ahead of it. */
  readonly now: number
  readonly allowFuture?: boolean
  /** Rows without an event_id get a content hash for a key and are flagged `derived`. */
  readonly deriveIds?: boolean
  /** Tables to go on with, when several readers of one upload share them; new ones when absent. */
  readonly customers?: NameTable
  readonly eventTypes?: NameTable
}

export interface ReaderOptions extends AppendOptions {
  /** CSV only: the delimiter; detected when absent. */
  readonly delimiter?: ',' | ';' | '\t' | '|'
  /** CSV only: foreign headers by our column, `{customer_id: 'ResourceId'}`. */
  readonly columns?: Readonly<Record<string, string>>
  readonly onReject: (row: RejectedRow) => void
}

/** Empty for a format without header and delimiter. */
export interface FileLayout {
  readonly delimiter?: string
  /** The header row as it came; absent where the file has none. */
  readonly header?: string
}

export interface ReadCounts {
  /** Rows read: those in batches and those rejected. */
  readonly rows: number
  readonly rejected: number
  /** Bytes written to the reader, as they came. */
  readonly bytes: number
}

/**
 * A reader of one upload. Push bytes with `write`, then `fill` a batch until it answers false; after the last
 * bytes `end`, and `fill` again. `fill` answers true when the batch is full and must be emptied before the next
 * call. `write` and `fill` throw DomainErrors about the file as a whole; rows at fault go to `onReject`.
 */
export interface UsageReader {
  readonly customers: NameTable
  readonly eventTypes: NameTable
  counts(): ReadCounts
  /** How the file was laid out, as far as it has been seen: what a file of its rejected rows must look like. */
  layout(): FileLayout
  /** The bytes must not change until they have been read. */
  write(chunk: Uint8Array): void
  end(): void
  fill(batch: EventBatch): boolean
}
