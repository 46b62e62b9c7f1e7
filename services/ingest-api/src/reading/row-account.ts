import { type RejectReason, rejectMessage } from '@billtrail/domain'
import type { RejectedRow } from './usage-reader'

/** Bytes kept of a row that is too long to be read. */
const LONG_ROW_KEPT = 8 * 1024

/**
 * Counts rows and hands out the rejected ones, so that every row has exactly one fate: `accepted()` or `rejected()`
 * is called once per row, and nothing else counts.
 */
export interface RowAccount {
  readonly rows: number
  readonly rejected: number
  accept(): void
  reject(line: number, column: string | null, reason: RejectReason, raw: Uint8Array): void
}

/** An account that has seen nothing yet. */
export function createRowAccount(onReject: (row: RejectedRow) => void): RowAccount {
  const account = {
    rows: 0,
    rejected: 0,
    accept(): void {
      account.rows++
    },
    reject(line: number, column: string | null, reason: RejectReason, raw: Uint8Array): void {
      account.rows++
      account.rejected++
      const kept = reason === 'row_too_long' ? raw.subarray(0, LONG_ROW_KEPT) : raw
      onReject({ line, column, reason, message: rejectMessage(reason), raw: Buffer.from(kept) })
    },
  }
  return account
}
