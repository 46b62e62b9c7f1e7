import { clearBatch, createBatch, type EventBatch } from '../reading'

const ROWS_MIN = 64
const KEPT_MAX = 16
/** A batch whose rows had so much in them is not kept: what is kept must not grow with what was sent. */
const TAIL_BYTES_KEPT = 1024 * 1024
const TAIL_BYTES_PER_EVENT = 64 * 1024

/** Batches for the events of requests, used again: a request every few milliseconds would fill memory with them. */
export interface BatchPool {
  /** An empty batch with room for `rows` at least. */
  take(rows: number): EventBatch
  /** Takes back a batch that nobody will read again. */
  putBack(batch: EventBatch): void
}

/** An empty pool; it keeps a few batches of each size. */
export function createBatchPool(): BatchPool {
  const kept: EventBatch[] = []
  return {
    take(rows) {
      const capacity = ROWS_MIN * 2 ** Math.max(0, Math.ceil(Math.log2(rows / ROWS_MIN)))
      const at = kept.findIndex((batch) => batch.capacity === capacity)
      const [found] = at < 0 ? [] : kept.splice(at, 1)
      return found ?? createBatch(capacity, capacity * TAIL_BYTES_PER_EVENT)
    },
    putBack(batch) {
      if (kept.length === KEPT_MAX || batch.tails.length > TAIL_BYTES_KEPT) return
      clearBatch(batch)
      kept.push(batch)
    },
  }
}
