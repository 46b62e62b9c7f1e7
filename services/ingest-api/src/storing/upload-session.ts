import type { PoolClient } from 'pg'
import { type EventBatch, encodeCopy, fileOrder } from '../reading'
import type { Segments, StoringSegment } from '../segments/create-segments'
import { type BatchNumbers, createCollection } from './collection'
import { createDirectLane, type DirectLane } from './direct-lane'
import {
  copyRows,
  eventsInto,
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
  /**
   * Sorts a batch where its lane does so. This needs no connection: the batch before may still be on its way. The answer
   * stores it, once that one is stored.
   */
  prepare(batch: EventBatch, numbers: BatchNumbers): () => Promise<void>
  /** Whether much of the file has turned out to be stored already. */
  hasMetMany(): boolean
  /** Merges what is staged. After it every row has its fate, and the transaction is to be committed soon. */
  finish(): Promise<Fates>
}

/** Opens a session; `uploadNo` is written on every row. */
export function openUploadSession(
  client: PoolClient,
  segments: Segments,
  upload: { organizationId: string; uploadNo: number; deriveIds: boolean },
): UploadSession {
  const { organizationId, uploadNo } = upload
  let lane: Lane = 'undecided'
  const collection = createCollection(client, uploadNo)
  let segment: StoringSegment | undefined
  let direct: DirectLane | undefined

  /** With the storing lock in hand. */
  const enterSegment = async (): Promise<StoringSegment> => {
    segment = await segments.enter(client, organizationId)
    return segment
  }
  return {
    lane: () => lane,
    async enterLane(wantsDirect) {
      await makeMerging(client)
      // The ordinal of a derived id is known only when the whole file is.
      const mayBeDirect = wantsDirect && !upload.deriveIds
      lane = mayBeDirect && (await tryStoring(client, organizationId)) ? 'direct' : 'staged'
      if (lane === 'staged') return
      direct = createDirectLane(client, await enterSegment(), uploadNo, collection)
    },
    prepare(batch, numbers) {
      if (direct) return direct.prepare(batch, numbers)
      return () => collection.add(batch, fileOrder(batch, numbers.customers), numbers)
    },
    hasMetMany: () => direct?.hasMetMany() ?? false,
    async finish() {
      if (lane === 'undecided') return collection.fates
      if (lane === 'staged') {
        if (upload.deriveIds) await nameDerivedRows(client)
        await waitForStoring(client, organizationId)
      }
      const { table } = segment ?? (await enterSegment())
      await collection.merge(table)
      await segments.leaveIfFull(client, organizationId)
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
    hasMetMany: () => false,
    prepare: (batch, numbers) => () =>
      copyRows(
        client,
        eventsInto('staged_events'),
        encodeCopy(batch, fileOrder(batch, numbers.customers), {
          eventTypeNumbers: numbers.eventTypes,
          uploadNo,
        }),
      ),
  }
}
