import { sqlState } from '@billtrail/platform'
import type { PoolClient } from 'pg'
import { type EventBatch, encodeCopy, encodeRuns, findRuns, isPlain, sortBatch } from '../reading'
import type { StoringSegment } from '../segments/create-segments'
import type { BatchNumbers, Collection } from './collection'
import { type ComparedRuns, claimRuns } from './claim-runs.repo'
import { type CopyTarget, copyRows, eventsInto, RUNS_INTO, UNIQUE_VIOLATION } from './store.repo'

/** A batch that met more stored keys than this is followed by others that will. */
const COLLISIONS_FEW = 10
/** Many runs shorter than this cost more, one by one, than a join of all rows at the end. */
const RUN_ROWS_MIN = 16
const RUNS_FEW = 4_096

/** Stores batches as they come; what it cannot settle by itself is in the collection. */
export interface DirectLane {
  /** Sorts a batch, without the connection; the answer stores it. */
  prepare(batch: EventBatch, numbers: BatchNumbers): () => Promise<void>
  /** Whether a batch had many rows that were stored before: of those that follow, larger ones are compared faster. */
  hasMetMany(): boolean
  /** Whether all that follows is to be collected: the file repeats events of very many customers. */
  hasGivenUp(): boolean
}

/** All segments of events together. */
const ALL_SEGMENTS = 'events'

/**
 * Opens the lane of an upload that holds its organization's storing lock. New rows of a sorted batch are copied straight
 * into the open segment of events, rows that were sent before are claimed run by run. Only conflicts, repeats within a batch
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
  let hasGivenUp = false

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
    const starts = findRuns(batch, order)
    if (starts.length > RUNS_FEW && order.length < RUN_ROWS_MIN * starts.length) {
      hasGivenUp = true
      await collection.add(batch, order, numbers)
      return order.length
    }
    await copyRows(client, RUNS_INTO, encodeRuns(batch, order, starts, numbers.eventTypes))
    const compared = await claimRuns(client, table, uploadNo)
    hasMetMany ||= compared.known > COLLISIONS_FEW
    const { fresh, conflicts } = sortOut(order, starts, compared)
    fates.duplicates += order.length - fresh.length - conflicts.length
    await collection.add(batch, conflicts, numbers)
    if (fresh.length > 0 && !(await storeNew(batch, fresh, numbers))) {
      await collection.add(batch, fresh, numbers)
      await collection.merge(segment.table)
    }
    return compared.known
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
    hasGivenUp: () => hasGivenUp,
  }
}

const CLAIMED = 0
const FRESH = 1
const CONFLICT = 2

/** The rows that were not claimed, in their order. */
function sortOut(order: Uint32Array, starts: Uint32Array, compared: ComparedRuns) {
  const fates = new Uint8Array(order.length).fill(CLAIMED)
  const runs = new Set(compared.runs)
  for (let run = 0; run + 1 < starts.length; run++) {
    if (runs.has(starts[run]!)) fates.fill(FRESH, starts[run], starts[run + 1])
  }
  for (const place of compared.claimed) fates[place] = CLAIMED
  for (const place of compared.conflicts) fates[place] = CONFLICT
  const rowsOf = (fate: number) => order.filter((_row, place) => fates[place] === fate)
  return { fresh: rowsOf(FRESH), conflicts: rowsOf(CONFLICT) }
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
