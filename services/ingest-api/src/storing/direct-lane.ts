import { sqlState } from '@billtrail/platform'
import type { PoolClient } from 'pg'
import { type EventBatch, encodeCopy, encodeRuns, findRuns, isPlain, sortBatch } from '../reading'
import type { BatchNumbers, Collection } from './collection'
import { type ComparedRuns, claimRuns, copyRows, UNIQUE_VIOLATION } from './store.repo'

/** A batch that met more stored keys than this is followed by others that will. */
const COLLISIONS_FEW = 10
/** Many runs shorter than this cost more, one by one, than a join of all rows at the end. */
const RUN_ROWS_MIN = 16
const RUNS_FEW = 4_096

/** Stores batches as they come; what it cannot settle by itself is in the collection. */
export interface DirectLane {
  store(batch: EventBatch, numbers: BatchNumbers): Promise<void>
  /** Whether all that follows is to be collected: the file repeats events of very many customers. */
  hasGivenUp(): boolean
}

/**
 * Opens the lane of an upload that holds its organization's storing lock. New rows of a sorted batch are copied straight
 * into events, rows that were sent before are claimed run by run. Only conflicts, repeats within a batch and what the
 * API overtook are collected: rows whose keys are stored by then, so that among rows of one key the first line counts.
 */
export function createDirectLane(
  client: PoolClient,
  uploadNo: number,
  collection: Collection,
): DirectLane {
  const { fates } = collection
  let expectsNew = true
  let hasGivenUp = false

  /** Copies rows into events; false, with nothing of them stored, when a key is there already. */
  async function storeNew(batch: EventBatch, order: Uint32Array, numbers: BatchNumbers) {
    const plain = isPlain(batch)
    const options = { eventTypeNumbers: numbers.eventTypes, uploadNo, plain }
    const table = plain ? 'plain_events' : 'events'
    const isStored = await tryCopy(client, table, encodeCopy(batch, order, options))
    if (isStored) fates.accepted += order.length
    return isStored
  }

  async function storeMet(batch: EventBatch, order: Uint32Array, numbers: BatchNumbers) {
    const starts = findRuns(batch, order)
    hasGivenUp = starts.length > RUNS_FEW && order.length < RUN_ROWS_MIN * starts.length
    if (hasGivenUp) return collection.add(batch, order, numbers)
    await copyRows(client, 'incoming_runs', encodeRuns(batch, order, starts, numbers.eventTypes))
    const compared = await claimRuns(client, uploadNo)
    const { fresh, conflicts } = sortOut(order, starts, compared)
    fates.duplicates += order.length - fresh.length - conflicts.length
    expectsNew = compared.known <= COLLISIONS_FEW
    await collection.add(batch, conflicts, numbers)
    if (fresh.length > 0 && !(await storeNew(batch, fresh, numbers))) {
      await collection.add(batch, fresh, numbers)
      await collection.merge()
    }
  }

  return {
    async store(batch, numbers) {
      const { order, again } = sortBatch(batch, numbers.customers)
      const isStored = expectsNew && (await storeNew(batch, order, numbers))
      if (!isStored) await storeMet(batch, order, numbers)
      await collection.add(batch, again, numbers)
    },
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

/** Copies into events; false, with nothing stored, when one of the keys is there already. */
async function tryCopy(
  client: PoolClient,
  table: 'events' | 'plain_events',
  chunks: Iterable<Buffer>,
): Promise<boolean> {
  await client.query('savepoint batch')
  try {
    await copyRows(client, table, chunks)
    await client.query('release savepoint batch')
    return true
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    await client.query('rollback to savepoint batch')
    return false
  }
}
