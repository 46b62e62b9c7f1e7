import type { PoolClient } from 'pg'
import {
  createStoredComparison,
  type EventBatch,
  encodeClaims,
  encodeKeys,
  encodeRuns,
  findRuns,
} from '../reading'
import { type ComparedRuns, claimRuns } from './claim-runs.repo'
import type { BatchNumbers } from './collection'
import { findStored } from './find-stored.repo'
import { CLAIMS_INTO, copyRows, RUNS_INTO } from './store.repo'

/** Rows of a sorted batch, in runs (`findRuns`). */
export interface Runs {
  readonly batch: EventBatch
  readonly order: Uint32Array
  readonly starts: Uint32Array
  readonly numbers: BatchNumbers
}

/** The rows that were not claimed as duplicates, in their order. */
export interface Unclaimed {
  /** Nothing is stored under their keys in that table, or was not when it was asked. */
  readonly fresh: Uint32Array
  /** They say something else than what is stored. */
  readonly conflicts: Uint32Array
}

/** Where this many rows more than others differ in their bytes, the file is taken to be spelled in another way. */
const UNLIKE_FEW = 10

/**
 * Tells rows by what is stored under their keys in a table, events or one of its segments, and claims those that say the same
 * for the upload.
 *
 * What is stored is read and compared here, byte by byte: that costs the database a third of comparing the rows itself. Equal
 * bytes are equal values. Rows that differ in these may still say the same, as `1.0` and `1` do; the database compares them.
 * What was read stays so until the transaction ends: the upload holds its organization's storing lock, as everybody does who
 * changes or removes stored events (withdraw.repo.ts). Others only add to them, and meet the primary key.
 */
export function createMetClaims(
  client: PoolClient,
  uploadNo: number,
): (table: string, runs: Runs) => Promise<Unclaimed> {
  let isSpelledAlike = true

  async function byRuns(table: string, { batch, order, starts, numbers }: Runs) {
    await copyRows(client, RUNS_INTO, encodeRuns(batch, order, starts, numbers.eventTypes))
    return sortOut(order, starts, await claimRuns(client, table, uploadNo))
  }

  async function byBytes(table: string, { batch, order, starts, numbers }: Runs) {
    const comparison = createStoredComparison(batch, order, numbers.eventTypes)
    await findStored(client, table, encodeKeys(batch, order, starts), comparison.add)
    const { fresh, alike, unlike } = comparison.finish()
    if (alike.length > 0) {
      const claims = encodeClaims(batch, alike, findRuns(batch, alike), uploadNo)
      await copyRows(client, CLAIMS_INTO, claims)
    }
    if (unlike.length === 0) return { fresh, conflicts: unlike }
    isSpelledAlike = unlike.length <= alike.length + UNLIKE_FEW
    const rest = { batch, order: unlike, starts: findRuns(batch, unlike), numbers }
    const compared = await byRuns(table, rest)
    if (compared.fresh.length > 0) throw new Error('A stored event has gone while it was compared.')
    return { fresh, conflicts: compared.conflicts }
  }

  return (table, runs) => (isSpelledAlike ? byBytes(table, runs) : byRuns(table, runs))
}

const CLAIMED = 0
const FRESH = 1
const CONFLICT = 2

function sortOut(order: Uint32Array, starts: Uint32Array, compared: ComparedRuns): Unclaimed {
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
