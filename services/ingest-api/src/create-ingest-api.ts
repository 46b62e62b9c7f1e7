import type { RequestListener } from 'node:http'
import { createApp, type Logger } from '@billtrail/platform'
import type { Pool } from 'pg'
import { eventRoutes } from './events/events.routes'
import { ledgerRoutes } from './ledger/ledger.routes'
import { createSegments } from './segments/create-segments'
import { type BatchRows, createBatchShelf } from './uploads/batch-shelf'
import { createUsageCounter } from './uploads/count-usage'
import type { ByteLimits } from './uploads/read-bytes'
import { sweepUploads } from './uploads/sweep-uploads'
import { uploadActionRoutes } from './uploads/upload-actions.routes'
import { uploadRoutes } from './uploads/uploads.routes'

const GIB = 1024 ** 3

const LIMITS: ByteLimits = { fileBytesMax: 10 * GIB, textBytesMax: 40 * GIB, ratioMax: 200 }

export interface IngestApiDeps {
  readonly pool: Pool
  readonly uploadPool: Pool
  /** Two connections, for what sealed segments hold. */
  readonly segmentPool: Pool
  readonly logger: Logger
  readonly limits?: ByteLimits
  /** When a segment of events is full; for tests. */
  readonly keyBytesMax?: number
  /** How many rows are stored at a time; for tests. */
  readonly batchRows?: BatchRows
}

/** The ingest service: files and events in. `stop` ends its sweep of abandoned uploads. */
export function createIngestApi(deps: IngestApiDeps): { app: RequestListener; stop: () => void } {
  const { pool, uploadPool, logger } = deps
  const counter = createUsageCounter({ uploadPool, logger })
  const segments = createSegments({ pool: deps.segmentPool, logger, keyBytesMax: deps.keyBytesMax })
  const importDeps = {
    pool,
    segments,
    counter,
    uploadPool,
    logger,
    batches: createBatchShelf(deps.batchRows),
    limits: deps.limits ?? LIMITS,
  }
  const app = createApp({
    service: 'ingest-api',
    logger,
    sql: pool,
    checks: { database: () => pool.query('select 1') },
    routes: [
      ...uploadRoutes(importDeps),
      ...uploadActionRoutes(importDeps),
      ...eventRoutes({ pool, segments }),
      ...ledgerRoutes({ pool }),
    ],
  })
  const stopSweep = sweepUploads({ pool, uploadPool, segments, counter, logger })
  return {
    app,
    stop: () => {
      stopSweep()
      counter.stop()
    },
  }
}
