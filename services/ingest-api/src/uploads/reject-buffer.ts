import type { Sql } from '@billtrail/platform'
import type { RejectedRow } from '../reading'
import { insertRejects } from './rejects.repo'

const REJECTS_KEPT_MAX = 100_000
const BUFFER_BYTES = 1024 * 1024
const FIRST_KEPT = 20

/** Refused rows on their way to the database, in the upload's own transaction. */
export interface RejectBuffer {
  readonly add: (row: RejectedRow) => void
  readonly isFull: () => boolean
  readonly flush: () => Promise<void>
  /** The first few, for an answer that refuses the whole file. */
  readonly first: () => readonly RejectedRow[]
}

/** Keeps the first 100,000 refused rows of an upload; the reader counts the rest. */
export function createRejectBuffer(sql: Sql, uploadNo: number): RejectBuffer {
  const first: RejectedRow[] = []
  let buffer: RejectedRow[] = []
  let bytes = 0
  let kept = 0
  return {
    add(row) {
      if (kept >= REJECTS_KEPT_MAX) return
      if (kept < FIRST_KEPT) first.push(row)
      kept++
      bytes += row.raw.length + 200
      buffer.push(row)
    },
    isFull: () => bytes > BUFFER_BYTES,
    async flush() {
      const rows = buffer
      buffer = []
      bytes = 0
      await insertRejects(sql, uploadNo, rows)
    },
    first: () => first,
  }
}
