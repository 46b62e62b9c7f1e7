import type { PoolClient } from 'pg'
import { type EventBatch, encodeCopy, fileOrder } from '../reading'
import { type BatchNumbers, createCollection } from './collection'
import { createDirectLane } from './direct-lane'
import {
  copyRows,
  type Fates,
  makeMerging,
  nameDerivedRows,
  tryStoring,
  waitForStoring,
} from './store.repo'

export type Lane = 'undecided' | 'direct' | 'staged'

/**
 * Stores the batches of one upload inside the transaction that is open on `client`.
 *
 * Direct lane: batches are sorted and stored as they come (`createDirectLane`). It needs the organization's storing
 * lock from its first batch to the end, so it is for an upload that arrives fast, or whole.
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
  const collection = createCollection(client, upload.uploadNo)
  const direct = createDirectLane(client, upload.uploadNo, collection)
  return {
    lane: () => lane,
    async enterLane(wantsDirect) {
      await makeMerging(client)
      // The ordinal of a derived id is known only when the whole file is.
      const mayBeDirect = wantsDirect && !upload.deriveIds
      lane = mayBeDirect && (await tryStoring(client, upload.organizationId)) ? 'direct' : 'staged'
    },
    async store(batch, numbers) {
      if (lane === 'direct' && !direct.hasGivenUp()) await direct.store(batch, numbers)
      else await collection.add(batch, fileOrder(batch, numbers.customers), numbers)
    },
    async finish() {
      if (lane === 'staged') {
        if (upload.deriveIds) await nameDerivedRows(client)
        await waitForStoring(client, upload.organizationId)
      }
      await collection.merge()
      return collection.fates
    },
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
