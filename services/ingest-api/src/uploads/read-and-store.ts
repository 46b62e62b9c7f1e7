import { setImmediate as nextTurn } from 'node:timers/promises'
import { internEventTypes, nameCustomers } from '@billtrail/db'
import type { Logger } from '@billtrail/platform'
import type { Pool } from 'pg'
import { clearBatch, type NameTable, type UsageReader } from '../reading'
import { numberCustomers } from '../storing/number-customers.repo'
import type { UploadSession } from '../storing/upload-session'
import type { BatchShelf } from './batch-shelf'
import type { FileBytes } from './read-bytes'
import type { RejectBuffer } from './reject-buffer'
import { reportProgress } from './uploads.repo'

const PROGRESS_MS = 1_000
/**
 * The first batches are cut short, each at twice the rows of the one before: the database would have nothing to do until the
 * second one is full. Not where it has to number customers meanwhile: each batch waits for those it names.
 */
const FIRST_BATCH_ROWS = 16_384
const ROWS_PER_CUSTOMER = 16
/**
 * What is read in one turn of the event loop. A fast sender's bytes would otherwise be read up to 2 MiB at a time, and the
 * database, which has answered meanwhile, wait for it at each step of storing.
 */
const TURN_BYTES = 128 * 1024
/** A sender slower than this would keep the direct lane from others for long. */
const DIRECT_BYTES_PER_SECOND = 4 * 1024 * 1024

export interface Reading {
  readonly organizationId: string
  readonly uploadNo: number
  readonly reader: UsageReader
  readonly bytes: FileBytes
  readonly session: Omit<UploadSession, 'finish'>
  readonly rejects: RejectBuffer
  /** Whether one rejected row means that nothing will be stored: the rest is then only read. */
  readonly strict: boolean
}

/**
 * Reads a file to its end, storing batch by batch: while one is on its way to the database the next is read. Memory
 * does not depend on the size of the file.
 */
export async function readAndStore(
  deps: { pool: Pool; batches: BatchShelf; logger: Logger },
  reading: Reading,
): Promise<void> {
  const { reader, bytes, session, rejects } = reading
  const source = bytes.chunks[Symbol.asyncIterator]()
  let waitedMs = 0
  const giveWay = givingWay()
  let progressAt = Date.now()
  let batch = deps.batches.takeSmall()
  let batchRows = FIRST_BATCH_ROWS
  let stored: Promise<void> = Promise.resolve()
  const names = numberAhead(deps.pool, reading)

  const isEnough = (): boolean =>
    batch.size >= batchRows && reader.counts().rows >= ROWS_PER_CUSTOMER * reader.customers.size
  const storeBatch = async (isLast: boolean) => {
    const isRefused = reading.strict && reader.counts().rejected > 0
    if (batch.size === 0 || isRefused) {
      clearBatch(batch)
      return
    }
    await names.finish()
    // Nothing has been stored then, and nothing is on its way.
    if (session.lane() === 'undecided') {
      const isFast = bytes.bytes() >= (waitedMs / 1000) * DIRECT_BYTES_PER_SECOND
      await session.enterLane(isLast || isFast)
    }
    batchRows = session.hasMetMany() ? Infinity : 2 * batchRows
    const full = batch
    const store = session.prepare(full, {
      customers: reader.customers.numbers,
      eventTypes: reader.eventTypes.numbers,
    })
    await stored
    if (rejects.isFull()) await rejects.flush()
    stored = store().finally(() => deps.batches.putBack(full))
    // Its failure is met where it is awaited, a batch later or at the end.
    stored.catch(() => undefined)
    batch = session.lane() === 'direct' ? deps.batches.takeLarge() : deps.batches.takeSmall()
  }

  try {
    for (;;) {
      const waitsFrom = performance.now()
      const next = await source.next()
      waitedMs += performance.now() - waitsFrom
      if (next.done === true) break
      reader.write(next.value)
      while (reader.fill(batch) || isEnough()) await storeBatch(false)
      names.begin()
      await giveWay(next.value.length)
      if (rejects.isFull()) {
        await stored
        await rejects.flush()
      }
      if (Date.now() - progressAt > PROGRESS_MS) {
        progressAt = Date.now()
        report(deps, reading)
      }
    }
    reader.end()
    while (reader.fill(batch)) await storeBatch(false)
    await storeBatch(true)
    await stored
  } finally {
    deps.batches.putBack(batch)
    await Promise.allSettled([stored, names.settled(), source.return?.()])
  }
}

/** Has others take their turn each time that so many bytes have been read. */
function givingWay(): (bytes: number) => Promise<void> {
  let read = 0
  return async (bytes) => {
    read += bytes
    if (read < TURN_BYTES) return
    read = 0
    await nextTurn()
  }
}

function report(deps: { pool: Pool; logger: Logger }, reading: Reading): void {
  const { rows, rejected } = reading.reader.counts()
  const progress = { rows, rejected, bytes: reading.bytes.bytes() }
  reportProgress(deps.pool, reading.uploadNo, progress).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    deps.logger.warn({ reason }, 'progress was not recorded')
  })
}

/** New customers are worth a statement of their own from this many on. */
const NAMES_AHEAD = 32_768
/** Bounds what one statement takes in memory, here and there. */
const NAMES_AT_ONCE = 32_768
/** As many statements at a time: until the first batch is on its way, the database has nothing else to do. */
const STATEMENTS_AT_ONCE = 2

/**
 * Gives many new customers their numbers while the rows that name them are still being read and the batch before is
 * on its way; `finish` sees to the rest, and to event types, before a batch is stored.
 */
function numberAhead(
  pool: Pool,
  { organizationId, reader }: Reading,
): {
  begin: () => void
  finish: () => Promise<void>
  /** When nothing of it runs any more, whatever came of it. */
  settled: () => Promise<void>
} {
  const { customers, eventTypes } = reader
  let failure: { readonly error: unknown } | undefined
  const running = new Set<Promise<void>>()

  /** False when there is nothing to ask for, or no room for it now. */
  const ask = (): boolean => {
    if (failure || customers.waiting === 0 || running.size === STATEMENTS_AT_ONCE) return false
    const job = numberCustomers(pool, organizationId, customers, customers.handOut(NAMES_AT_ONCE))
      // Met by whoever waits for the numbers.
      .catch((error: unknown) => {
        failure ??= { error }
      })
      .finally(() => running.delete(job))
    running.add(job)
    return true
  }
  return {
    begin() {
      if (customers.waiting >= NAMES_AHEAD) ask()
    },
    async finish() {
      for (;;) {
        while (ask());
        if (running.size === 0) break
        await Promise.race(running)
      }
      if (failure) throw failure.error
      // A customer may have got its number with an earlier batch, and its name only now.
      await nameCustomers(pool, organizationId, customers.takeLateDescriptions())
      await numberTypes(pool, organizationId, eventTypes)
    },
    async settled() {
      await Promise.all(running)
    },
  }
}

async function numberTypes(pool: Pool, organizationId: string, types: NameTable): Promise<void> {
  const met = types.unnumbered()
  if (met.length === 0) return
  const names = met.map(({ id }) => id)
  const numbers = await internEventTypes(pool, organizationId, names)
  met.forEach(({ index }, at) => types.setNumber(index, numbers[at]!))
}
