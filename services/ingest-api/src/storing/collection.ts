import type { PoolClient } from 'pg'
import { type EventBatch, encodeCopy } from '../reading'
import { mergeIncoming } from './merge.repo'
import { copyRows, eventsInto, type Fates } from './store.repo'

/** The numbers that a batch's customers and event types have in the database. */
export interface BatchNumbers {
  readonly customers: Int32Array
  readonly eventTypes: Int32Array
}

/** The rows of an upload that wait in `incoming` to be merged, and what became of all its rows so far. */
export interface Collection {
  readonly fates: { -readonly [fate in keyof Fates]: number }
  /** Adds the rows `order` of a batch. */
  add(batch: EventBatch, order: Uint32Array, numbers: BatchNumbers): Promise<void>
  /** Merges what is there into `table`, the open segment of events; nothing is left after it. */
  merge(table: string): Promise<void>
}

/** An empty collection inside the transaction that is open on `client`. */
export function createCollection(client: PoolClient, uploadNo: number): Collection {
  const fates = { accepted: 0, duplicates: 0, conflicts: 0 }
  let size = 0
  return {
    fates,
    async add(batch, order, numbers) {
      if (order.length === 0) return
      const options = { eventTypeNumbers: numbers.eventTypes, uploadNo }
      await copyRows(client, eventsInto('incoming'), encodeCopy(batch, order, options))
      size += order.length
    },
    async merge(table) {
      if (size === 0) return
      const merged = await mergeIncoming(client, table)
      fates.accepted += merged.accepted
      fates.duplicates += merged.duplicates
      fates.conflicts += merged.conflicts
      size = 0
    },
  }
}
