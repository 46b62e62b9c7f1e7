import type { PoolClient } from 'pg'
import {
  createStoredComparison,
  type EventBatch,
  encodeClaims,
  encodeKeys,
  encodeRuns,
  findGroups,
  findRuns,
} from '../reading'
import { type ComparedRuns, claimRuns } from './claim-runs.repo'
import type { BatchNumbers } from './collection'
import { findStored } from './find-stored.repo'
import { CLAIMS_INTO, copyRows, RUNS_INTO } from './store.repo'

/** Rows of a sorted batch. */
export interface MetRows {
  readonly batch: EventBatch
  readonly order: Uint32Array
  readonly numbers: BatchNumbers
}

/** The rows that were not claimed as duplicates, in their order. */
export interface Unclaimed {
  /** Nothing is stored under their keys in that table, or was not when it was asked. */
  readonly fresh: Uint32Array
  /** They say something else than what is stored, or perhaps the same in other words: merging them tells. */
  readonly unsettled: Uint32Array
}

/** Where this many rows more than others differ in their bytes, the file is taken to be spelled in another way. */
const UNLIKE_FEW = 10
/** Runs shorter than this cost more, one by one, than a join of all their rows at the end. */
const RUN_ROWS_MIN = 4

/**
 * Tells rows by what is stored under their keys in a table, events or one of its segments, and claims those that say the same
 * for the upload.
 *
 * What is stored is read and compared here, byte by byte: that costs the database a third of comparing the rows itself. Equal
 * bytes are equal values. Rows that differ in these may still say the same, as `1.0` and `1` do; the database compares them,
 * by runs, or where these are short when they are merged.
 * What was read stays so until the transaction ends: the upload holds its organization's storing lock, as everybody does who
 * changes or removes stored events (withdraw.repo.ts). Others only add to them, and meet the primary key.
 */
export function createMetClaims(
  client: PoolClient,
  uploadNo: number,
): (table: string, rows: MetRows) => Promise<Unclaimed> {
  let isSpelledAlike = true

  async function byRuns(table: string, { batch, order, numbers }: MetRows, starts: Uint32Array) {
    await copyRows(client, RUNS_INTO, encodeRuns(batch, order, starts, numbers.eventTypes))
    return sortOut(order, starts, await claimRuns(client, table, uploadNo))
  }

  async function byBytes(table: string, { batch, order, numbers }: MetRows) {
    const comparison = createStoredComparison(batch, order, numbers.eventTypes)
    const keys = encodeKeys(batch, order, findGroups(batch, order))
    await findStored(client, table, keys, comparison.add)
    const { fresh, alike, unlike } = comparison.finish()
    if (alike.length > 0) {
      const claims = encodeClaims(batch, alike, findRuns(batch, alike), uploadNo)
      await copyRows(client, CLAIMS_INTO, claims)
    }
    isSpelledAlike = unlike.length <= alike.length + UNLIKE_FEW
    const starts = findRuns(batch, unlike)
    if (isScattered(unlike, starts)) return { fresh, unsettled: unlike }
    const compared = await byRuns(table, { batch, order: unlike, numbers }, starts)
    if (compared.fresh.length > 0) throw new Error('A stored event has gone while it was compared.')
    return { fresh, unsettled: compared.unsettled }
  }

  return (table, rows) => {
    if (isSpelledAlike) return byBytes(table, rows)
    const starts = findRuns(rows.batch, rows.order)
    // Rows that nothing is stored under must not wait to be merged: those that repeat them would be stored first.
    return isScattered(rows.order, starts) ? byBytes(table, rows) : byRuns(table, rows, starts)
  }
}

const isScattered = (order: Uint32Array, starts: Uint32Array): boolean =>
  order.length < RUN_ROWS_MIN * starts.length

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
  return { fresh: rowsOf(FRESH), unsettled: rowsOf(CONFLICT) }
}
