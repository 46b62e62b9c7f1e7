import { sqlState } from '@billtrail/platform'
import type { PoolClient } from 'pg'
import { type EventBatch, encodeCopy, isPlain, sortBatch } from '../reading'
import type { StoringSegment } from '../segments/create-segments'
import { createMetClaims } from './claim-met'
import type { BatchNumbers, Collection } from './collection'
import { type CopyTarget, copyRows, eventsInto, UNIQUE_VIOLATION } from './store.repo'

/** A batch that met more stored keys than this is followed by others that will. */
const COLLISIONS_FEW = 10

/** Stores batches as they come; what it cannot settle by itself is in the collection. */
export interface DirectLane {
  /** Sorts a batch, without the connection; the answer stores it. */
  prepare(batch: EventBatch, numbers: BatchNumbers): () => Promise<void>
  /** Whether a batch had many rows that were stored before: of those that follow, larger ones are compared faster. */
  hasMetMany(): boolean
}

/** All segments of events together. */
const ALL_SEGMENTS = 'events'

/**
 * Opens the lane of an upload that holds its organization's storing lock. New rows of a sorted batch are copied straight
 * into the open segment of events, rows that were sent before are claimed. Only conflicts, repeats within a batch
 * and what the API overtook are collected: rows whose keys are stored by then, so that among rows of one key the first line
 * counts.
 */
export function createDirectLane(
  client: PoolClient,
  segment: StoringSegment,
  uploadNo: number,
  collection: Collection,
): DirectLane {
  const { fates } = collection
  let expectsNew = true
  let hasMetMany = false
  const claimMet = createMetClaims(client, uploadNo)

  /** Copies rows into the open segment; false, with nothing of them stored, when a key is there already. */
  async function storeNew(batch: EventBatch, order: Uint32Array, numbers: BatchNumbers) {
    const options = { eventTypeNumbers: numbers.eventTypes, uploadNo, plain: isPlain(batch) }
    const target = eventsInto(segment.table, options.plain)
    const isStored = await tryCopy(client, target, encodeCopy(batch, order, options))
    if (isStored) fates.accepted += order.length
    return isStored
  }

  /** Compares rows with what is stored in `table`; answers how many were known. */
  async function storeMet(
    table: string,
    batch: EventBatch,
    order: Uint32Array,
    numbers: BatchNumbers,
  ): Promise<number> {
    const { fresh, unsettled } = await claimMet(table, { batch, order, numbers })
    const known = order.length - fresh.length
    hasMetMany ||= known > COLLISIONS_FEW
    fates.duplicates += known - unsettled.length
    await collection.add(batch, unsettled, numbers)
    if (fresh.length > 0 && !(await storeNew(batch, fresh, numbers))) {
      await collection.add(batch, fresh, numbers)
      await collection.merge(segment.table)
    }
    return known
  }

  /** Stores rows that no sealed segment holds. */
  async function storeFresh(batch: EventBatch, order: Uint32Array, numbers: BatchNumbers) {
    if (order.length === 0 || (expectsNew && (await storeNew(batch, order, numbers)))) return
    const known = await storeMet(segment.table, batch, order, numbers)
    expectsNew = known <= COLLISIONS_FEW
  }

  return {
    prepare(batch, numbers) {
      const { order, again } = sortBatch(batch, numbers.customers)
      const divided = segment.divide(batch, order)
      // Its failure is met where the batch is stored.
      divided.catch(() => undefined)
      return async () => {
        const { fresh, known } = await divided
        await storeFresh(batch, fresh, numbers)
        if (known.length > 0) await storeMet(ALL_SEGMENTS, batch, known, numbers)
        await collection.add(batch, again, numbers)
      }
    },
    hasMetMany: () => hasMetMany,
  }
}

/** Copies rows; false, with nothing stored, when one of the keys is there already. */
async function tryCopy(
  client: PoolClient,
  target: CopyTarget,
  chunks: Iterable<Buffer>,
): Promise<boolean> {
  await client.query('savepoint batch')
  try {
    await copyRows(client, target, chunks)
    await client.query('release savepoint batch')
    return true
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    await client.query('rollback to savepoint batch')
    return false
  }
}
