import type { Logger } from '@billtrail/platform'
import type { Pool, PoolClient } from 'pg'
import type { EventBatch } from '../reading'
import { divideBatch, type DividedBatch } from './divide-batch'
import { createSealedKeys, KEPT_BYTES_MAX } from './sealed-keys'
import {
  leaveFullSegment,
  listFullOrganizations,
  listSealed,
  type SegmentNumbers,
  segmentsOf,
  segmentTable,
} from './segments.repo'

/** A primary key that takes more on disk is full: 2.6 M to 3.7 M events (docs/decisions/0013). */
const KEY_BYTES_MAX = 128 * 1024 * 1024

/** Of as many organizations it is remembered where they store. */
const KNOWN_MAX = 10_000

/** Where a transaction stores the events of its organization. */
export interface StoringSegment {
  /** The table, a partition of `events`, that its new rows go to. */
  readonly table: string
  /** Tells rows of a sorted batch whose keys a sealed segment holds from those that at most the open one does. */
  divide(batch: EventBatch, order: Uint32Array): Promise<DividedBatch>
}

/** Where an organization stored when it was last asked. */
export interface KnownSegment extends StoringSegment {
  readonly segmentNo: number
}

/** The segments of all organizations. */
export interface Segments {
  /** Opens the segment for the transaction on `client`, which holds the organization's storing lock. */
  enter(client: PoolClient, organizationId: string): Promise<StoringSegment>
  /** The last thing before that transaction is committed: seals the segment if it is full. */
  leaveIfFull(client: PoolClient, organizationId: string): Promise<void>
  /** Organizations that wait for somebody to do so: they send no files. */
  listFull(): Promise<string[]>
  /** For events that are sent over the API, without that lock: their transaction begins with `hold_segment`, which fails if it has changed. */
  known(organizationId: string): Promise<KnownSegment>
  /** Asks anew the next time: it has changed. */
  forget(organizationIds: readonly string[]): void
  /** Makes the filters that are missing and reads the newest, so that the next file need not wait for them. */
  makeFilters(): Promise<void>
  /** The same in the background; what fails is tried again by the sweep, or by the file that needs it. */
  makeFiltersSoon(): void
}

/**
 * `pool` has connections for this alone: those who hold others, and wait for one another with them, wait for what is asked here.
 * `keyBytesMax` is when a segment is full, for tests.
 */
export function createSegments(deps: {
  pool: Pool
  logger: Logger
  keyBytesMax?: number | undefined
}): Segments {
  const { pool, logger, keyBytesMax = KEY_BYTES_MAX } = deps
  const sealedKeys = createSealedKeys(pool)
  const lastKnown = new Map<string, KnownSegment>()

  function open(organizationId: string, numbers: SegmentNumbers): KnownSegment {
    const sealed = numbers.sealed.map((segmentNo) => ({ organizationId, segmentNo }))
    return {
      segmentNo: numbers.open,
      table: segmentTable(numbers.open),
      divide: (batch, order) => divideBatch({ sealedKeys, sql: pool }, sealed, batch, order),
    }
  }

  async function makeFilters(): Promise<void> {
    for (const sealed of await listSealed(pool, KEPT_BYTES_MAX)) {
      await sealedKeys.filterOf(sealed)
    }
  }

  return {
    async enter(client, organizationId) {
      return open(organizationId, await segmentsOf(client, organizationId))
    },
    async known(organizationId) {
      const known = lastKnown.get(organizationId)
      if (known) return known
      const segment = open(organizationId, await segmentsOf(pool, organizationId))
      if (lastKnown.size === KNOWN_MAX) lastKnown.clear()
      lastKnown.set(organizationId, segment)
      return segment
    },
    forget(organizationIds) {
      for (const id of organizationIds) lastKnown.delete(id)
    },
    async leaveIfFull(client, organizationId) {
      await leaveFullSegment(client, organizationId, keyBytesMax)
    },
    listFull: () => listFullOrganizations(pool, keyBytesMax),
    makeFilters,
    makeFiltersSoon() {
      makeFilters().catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error)
        logger.warn({ reason }, 'the filters of sealed segments could not be made yet')
      })
    },
  }
}
