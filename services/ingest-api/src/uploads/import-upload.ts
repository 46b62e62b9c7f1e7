import { DomainError } from '@billtrail/domain'
import {
  type Caller,
  databaseUnavailable,
  isDatabaseUnavailable,
  type Logger,
} from '@billtrail/platform'
import type { Pool, PoolClient } from 'pg'
import type { RejectedRow } from '../reading'
import type { Segments } from '../segments/create-segments'
import { letUploadGo, openUpload } from '../storing/store.repo'
import { openStagingSession, openUploadSession } from '../storing/upload-session'
import type { BatchShelf } from './batch-shelf'
import { createReader } from './create-reader'
import { readAndStore, type Reading } from './read-and-store'
import { type ByteLimits, readBytes } from './read-bytes'
import type { UsageCounter } from './count-usage'
import type { IncomingFile } from './receive-file'
import { createRejectBuffer } from './reject-buffer'
import { settleUpload } from './settle-upload'
import type { UploadOptions } from './upload-options'
import {
  commitUpload,
  failUpload,
  organizationZone,
  setStaged,
  type UploadRow,
} from './uploads.repo'

export interface ImportDeps {
  readonly pool: Pool
  /** Connections that uploads hold from their first byte to their last; no statement timeout. */
  readonly uploadPool: Pool
  readonly segments: Segments
  readonly batches: BatchShelf
  readonly counter: UsageCounter
  readonly limits: ByteLimits
  readonly logger: Logger
}

export interface ImportRequest {
  readonly caller: Caller
  readonly file: IncomingFile
  readonly options: UploadOptions
}

/**
 * Reads a file while it arrives and stores its events in one transaction: after the answer every row is stored
 * and has its fate; after a failure nothing of the file counts, and its upload says why. A preview is staged and
 * weighed instead. With `respondAsync` it answers when all rows are durably staged, and goes on by itself.
 * Throws what the file's format or size calls for, `rows_rejected` (strict), `body_cut_short`.
 */
export async function importUpload(deps: ImportDeps, request: ImportRequest): Promise<UploadRow> {
  const { caller, file, options } = request
  const zone = options.timezone ?? (await organizationZone(deps.pool, caller.organizationId))
  const client = await deps.uploadPool.connect()
  const { uploadNo } = await openUpload(client, {
    organizationId: caller.organizationId,
    filename: file.filename,
    options,
    bytesExpected: file.bytesExpected,
    createdBy: caller.keyId,
  }).catch((error: unknown) => {
    client.release(true)
    throw error
  })
  const owned = own(deps.counter, client, uploadNo)
  let isHandedOn = false
  try {
    const upload = await storeFile(deps, client, { ...request, uploadNo, zone })
    if (upload.state !== 'processing') return upload
    const settled = settleUpload(deps, client, upload).finally(() => deps.counter.countSoon())
    if (!options.respondAsync) return await settled
    isHandedOn = true
    void settled
      .catch((error: unknown) => failStaged(deps, client, uploadNo, error))
      .finally(owned.letGo)
    return upload
  } catch (error) {
    await failQuietly(deps, client, uploadNo, error)
    throw error
  } finally {
    if (!isHandedOn) await owned.letGo()
  }
}

/** Watches over a connection that an upload holds, until it is let go. */
export function own(
  counter: UsageCounter,
  client: PoolClient,
  uploadNo: number,
): { letGo: () => Promise<void> } {
  const uploadEnds = counter.uploadBegins()
  let broken: Error | undefined
  const onError = (error: Error) => (broken = error)
  client.on('error', onError)
  return {
    async letGo() {
      uploadEnds()
      await letUploadGo(client, uploadNo).catch(onError)
      client.off('error', onError)
      client.release(broken)
    },
  }
}

/** One transaction: all rows stored, or all rows staged (the upload is then still `processing`). */
async function storeFile(
  deps: ImportDeps,
  client: PoolClient,
  request: ImportRequest & { uploadNo: number; zone: string },
): Promise<UploadRow> {
  const { caller, file, options, uploadNo, zone } = request
  const { organizationId } = caller
  await client.query('begin')
  const rejects = createRejectBuffer(client, uploadNo)
  const isStaged = options.preview || options.respondAsync
  const storing = openUploadSession(client, deps.segments, {
    organizationId,
    uploadNo,
    deriveIds: options.deriveIds,
  })
  const reading: Reading = {
    organizationId,
    uploadNo,
    reader: createReader(file, { ...options, zone, onReject: rejects.add }),
    bytes: readBytes(file.stream, { contentEncoding: file.contentEncoding, limits: deps.limits }),
    session: isStaged ? openStagingSession(client, uploadNo) : storing,
    rejects,
    strict: options.strict,
  }
  await readAndStore(deps, reading)
  const { rows, rejected } = reading.reader.counts()
  if (options.strict && rejected > 0) throw rowsRejected(rejected, rejects.first())
  await rejects.flush()
  const read = {
    rows,
    rejected,
    bytes: reading.bytes.bytes(),
    sha256: reading.bytes.sha256(),
    layout: reading.reader.layout(),
  }
  const upload = isStaged
    ? await setStaged(client, uploadNo, read)
    : await commitUpload(client, uploadNo, { ...read, ...(await storing.finish()) })
  await client.query('commit')
  deps.counter.countSoon()
  deps.segments.makeFiltersSoon()
  return upload
}

/** Rolls back and notes why; an upload that cannot be marked now is found by the sweep. */
async function failQuietly(
  deps: { pool: Pool; logger: Logger },
  client: PoolClient,
  uploadNo: number,
  error: unknown,
): Promise<void> {
  await client.query('rollback').catch(() => undefined)
  const known = isDatabaseUnavailable(error) ? databaseUnavailable(error) : error
  const failure =
    known instanceof DomainError
      ? { code: known.code, message: known.message }
      : { code: 'internal', message: `This is our fault. ${NOTHING_COUNTS}` }
  if (failure.code === 'internal')
    deps.logger.error({ err: error, upload_no: uploadNo }, 'upload failed')
  await failUpload(deps.pool, uploadNo, failure).catch((cause: unknown) => {
    deps.logger.warn({ err: cause, upload_no: uploadNo }, 'a failed upload could not be marked yet')
  })
}

/**
 * The same for an upload whose rows are all staged. Its sender may have been told that they are safe, so one that only
 * the database's absence has stopped is left as it is: the sweep takes it up when the database is back.
 */
export async function failStaged(
  deps: { pool: Pool; logger: Logger },
  client: PoolClient,
  uploadNo: number,
  error: unknown,
): Promise<void> {
  if (!isDatabaseUnavailable(error)) return failQuietly(deps, client, uploadNo, error)
  await client.query('rollback').catch(() => undefined)
  deps.logger.warn({ upload_no: uploadNo }, 'a staged upload waits for the database')
}

const NOTHING_COUNTS = 'Nothing of the file counts; send it again.'

const rowsRejected = (rejected: number, first: readonly RejectedRow[]): DomainError =>
  new DomainError(
    'invalid',
    'rows_rejected',
    `${rejected} rows were rejected, and strict=true refuses the file then. Nothing was stored.`,
    first.map((row) => ({
      field: `line ${row.line}${row.column === null ? '' : `, ${row.column}`}`,
      message: row.message,
    })),
  )
