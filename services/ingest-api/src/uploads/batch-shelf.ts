import { clearBatch, createBatch, type EventBatch } from '../reading'

const SMALL_ROWS = 16_384
const SMALL_TAIL_BYTES = 2 * 1024 * 1024
const LARGE_ROWS = 250_000
const LARGE_TAIL_BYTES = 12 * 1024 * 1024
/** One is read into while the other is stored. */
const LARGE_BATCHES = 2

/**
 * The batches of a process. Every upload reads into small ones; the few large ones go to an upload that sorts what it
 * stores, where more rows at a time mean fewer index pages touched. So memory does not grow with files or callers.
 */
export interface BatchShelf {
  takeSmall(): EventBatch
  /** A large batch while there is one; otherwise a small one. */
  takeLarge(): EventBatch
  putBack(batch: EventBatch): void
}

/** How many rows batches have; for tests. */
export interface BatchRows {
  readonly small: number
  readonly large: number
}

/** An empty shelf; batches are made when first taken, and kept. */
export function createBatchShelf(
  rows: BatchRows = { small: SMALL_ROWS, large: LARGE_ROWS },
): BatchShelf {
  const small: EventBatch[] = []
  const large: EventBatch[] = []
  let largeMade = 0
  const takeSmall = () => small.pop() ?? createBatch(rows.small, SMALL_TAIL_BYTES)
  return {
    takeSmall,
    takeLarge() {
      const free = large.pop()
      if (free) return free
      if (largeMade === LARGE_BATCHES) return takeSmall()
      largeMade++
      return createBatch(rows.large, LARGE_TAIL_BYTES)
    },
    putBack(batch) {
      clearBatch(batch)
      if (batch.capacity === rows.large) large.push(batch)
      else small.push(batch)
    },
  }
}
