import { inTransaction, type Logger } from '@billtrail/platform'
import type { Pool } from 'pg'
import type { Segments } from '../segments/create-segments'
import { tryStoring, tryToAdopt } from '../storing/store.repo'
import { discardPreview } from './commit-upload'
import type { UsageCounter } from './count-usage'
import { failStaged, own } from './import-upload'
import { settleUpload } from './settle-upload'
import {
  failAbandonedUploads,
  findUpload,
  listExpiredPreviews,
  listStagedUploads,
  type UploadRow,
} from './uploads.repo'

const SWEEP_MS = 10_000

interface SweepDeps {
  readonly pool: Pool
  readonly uploadPool: Pool
  readonly segments: Segments
  readonly counter: UsageCounter
  readonly logger: Logger
}

/** Takes up an upload that was staged when its process died, unless somebody is at it. */
async function resume(deps: SweepDeps, upload: UploadRow): Promise<void> {
  const client = await deps.uploadPool.connect()
  const isFree = await tryToAdopt(client, upload.upload_no).catch((error: unknown) => {
    client.release(true)
    throw error
  })
  if (!isFree) {
    client.release()
    return
  }
  const owned = own(deps.counter, client, upload.upload_no)
  try {
    // It may have come to its end between the look and the lock.
    const now = await findUpload(client, upload.organization_id, upload.id)
    if (now.state !== 'processing') return
    deps.logger.warn({ upload_id: upload.id }, 'taking up an interrupted upload')
    await settleUpload(deps, client, now)
  } catch (error) {
    await failStaged(deps, client, upload.upload_no, error)
  } finally {
    await owned.letGo()
  }
}

/** Organizations that send no files leave full segments here; those that do leave them with an upload. */
async function leaveFullSegments({ uploadPool, segments }: SweepDeps): Promise<void> {
  for (const organizationId of await segments.listFull()) {
    await inTransaction(uploadPool, async (client) => {
      if (await tryStoring(client, organizationId)) {
        await segments.leaveIfFull(client, organizationId)
      }
    })
  }
}

async function sweep(deps: SweepDeps): Promise<void> {
  const failed = await failAbandonedUploads(deps.pool)
  if (failed.length > 0) deps.logger.warn({ uploads: failed }, 'uploads were interrupted')
  for (const upload of await listStagedUploads(deps.pool)) await resume(deps, upload)
  for (const preview of await listExpiredPreviews(deps.pool)) {
    await discardPreview(deps.uploadPool, preview.organization_id, preview.id)
  }
  deps.counter.countNow()
  await leaveFullSegments(deps)
  await deps.segments.makeFilters()
}

/**
 * At once and every 10 s: uploads whose process died while reading become `failed`, those that were staged go on,
 * previews older than 24 hours are forgotten, and full segments of events are left. Returns what ends it.
 */
export function sweepUploads(deps: SweepDeps): () => void {
  let isSweeping = false
  const run = () => {
    if (isSweeping) return
    isSweeping = true
    sweep(deps)
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error)
        deps.logger.warn({ reason }, 'uploads could not be swept')
      })
      .finally(() => (isSweeping = false))
  }
  run()
  const timer = setInterval(run, SWEEP_MS)
  return () => clearInterval(timer)
}
