import { sqlState } from '@billtrail/platform'
import type { PoolClient } from 'pg'
import { type EventBatch, encodeCopy, fileOrder, sortBatch } from '../reading'
import {
  copyRows,
  countClaims,
  type Fates,
  makeIncoming,
  mergeIncoming,
  nameDerivedRows,
  tryStoring,
  waitForStoring,
} from './store.repo'

const UNIQUE_VIOLATION = '23505'
/** A batch that met more stored keys than this is followed by others that will. */
const COLLISIONS_FEW = 10

export type Lane = 'undecided' | 'direct' | 'staged'

/** The numbers that a batch's customers and event types have in the database. */
export interface BatchNumbers {
  readonly customers: Int32Array
  readonly eventTypes: Int32Array
}

/**
 * Stores the batches of one upload inside the transaction that is open on `client`.
 *
 * Direct lane: batches are sorted and copied straight into events; a batch that meets a stored key is merged
 * instead, and after one that met many the rest is only collected, to be merged in one go. It needs the
 * organization's storing lock from its first batch to the end, so it is for an upload that arrives fast, or whole.
 * Staged lane: batches are collected in a temporary table as they come and merged at the end; the lock is held only
 * then, so a slow sender keeps nobody waiting.
 */
export interface UploadSession {
  readonly lane: () => Lane
  /** Takes the direct lane if no other upload has it; otherwise the staged one. */
  enterLane(wantsDirect: boolean): Promise<void>
  store(batch: EventBatch, numbers: BatchNumbers): Promise<void>
  /** Merges what is staged. After it every row has its fate. */
  finish(): Promise<Fates>
}

/** Opens a session; `uploadNo` is written on every row. */
export function openUploadSession(
  client: PoolClient,
  upload: { organizationId: string; uploadNo: number; deriveIds: boolean },
): UploadSession {
  let lane: Lane = 'undecided'
  let accepted = 0
  let collected = 0
  let isCollecting = false
  let hasClaims = false
  let isAnalyzed = false

  const encode = (batch: EventBatch, order: Uint32Array, numbers: BatchNumbers) =>
    encodeCopy(batch, order, { eventTypeNumbers: numbers.eventTypes, uploadNo: upload.uploadNo })

  /** Merges the rows that lie in incoming; answers how many of them met a stored key. */
  async function merge(rows: number, analyze: boolean): Promise<number> {
    const stored = await mergeIncoming(client, { rows, analyze })
    isAnalyzed = true
    hasClaims ||= stored < rows
    accepted += stored
    return rows - stored
  }

  async function storeDirectly(batch: EventBatch, numbers: BatchNumbers) {
    const { order, again } = sortBatch(batch, numbers.customers)
    if (await tryCopy(client, encode(batch, order, numbers))) {
      accepted += order.length
    } else {
      await copyRows(client, 'incoming', encode(batch, order, numbers))
      isCollecting = (await merge(order.length, !isAnalyzed)) > COLLISIONS_FEW
    }
    if (again.length === 0) return
    await copyRows(client, 'incoming', encode(batch, again, numbers))
    await merge(again.length, !isAnalyzed)
  }

  return {
    lane: () => lane,
    async enterLane(wantsDirect) {
      await makeIncoming(client)
      // The ordinal of a derived id is known only when the whole file is.
      const mayBeDirect = wantsDirect && !upload.deriveIds
      lane = mayBeDirect && (await tryStoring(client, upload.organizationId)) ? 'direct' : 'staged'
      isCollecting = lane === 'staged'
    },
    async store(batch, numbers) {
      if (isCollecting) {
        const order = fileOrder(batch, numbers.customers)
        await copyRows(client, 'incoming', encode(batch, order, numbers))
        collected += order.length
      } else {
        await storeDirectly(batch, numbers)
      }
    },
    async finish() {
      if (lane === 'staged') {
        if (upload.deriveIds) await nameDerivedRows(client)
        await waitForStoring(client, upload.organizationId)
      }
      if (collected > 0) await merge(collected, true)
      const claims = hasClaims
        ? await countClaims(client, upload.uploadNo)
        : { duplicates: 0, conflicts: 0 }
      return { accepted, ...claims }
    },
  }
}

/** Copies into events; false, with nothing stored, when one of the keys is there already. */
async function tryCopy(client: PoolClient, chunks: Iterable<Buffer>): Promise<boolean> {
  await client.query('savepoint batch')
  try {
    await copyRows(client, 'events', chunks)
    await client.query('release savepoint batch')
    return true
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    await client.query('rollback to savepoint batch')
    return false
  }
}

/** A session that only keeps the rows, durably and without effect, for `settleUpload` to deal with. */
export function openStagingSession(
  client: PoolClient,
  uploadNo: number,
): Omit<UploadSession, 'finish'> {
  return {
    lane: () => 'staged',
    enterLane: () => Promise.resolve(),
    store: (batch, numbers) =>
      copyRows(
        client,
        'staged_events',
        encodeCopy(batch, fileOrder(batch, numbers.customers), {
          eventTypeNumbers: numbers.eventTypes,
          uploadNo,
        }),
      ),
  }
}
