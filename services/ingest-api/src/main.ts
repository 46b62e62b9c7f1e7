import { createLogger, createPool, readConfig, runService, settings } from '@billtrail/platform'
import { z } from 'zod'
import { createIngestApi } from './create-ingest-api'
import { UPLOADS_AT_ONCE } from './uploads/limit-uploads'

const Config = z.object({
  DATABASE_URL: settings.DATABASE_URL,
  HOST: settings.HOST,
  INGEST_PORT: settings.INGEST_PORT,
  LOG_LEVEL: settings.LOG_LEVEL,
  BILLTRAIL_SUPERVISED: settings.BILLTRAIL_SUPERVISED,
})

void runService(() => {
  const config = readConfig(Config, process.env)
  const logger = createLogger({ service: 'ingest-api', level: config.LOG_LEVEL })
  const connection = { url: config.DATABASE_URL, role: 'billtrail_ingest', logger } as const
  const pool = createPool({ ...connection, lockTimeoutMs: 200 })
  const uploadPool = createPool({
    ...connection,
    // one for each upload, and for counting, reverting and sweeping beside them
    maxConnections: UPLOADS_AT_ONCE + 3,
    statementTimeoutMs: 0,
  })
  const segmentPool = createPool({ ...connection, maxConnections: 2, statementTimeoutMs: 0 })
  const { app, stop } = createIngestApi({ pool, uploadPool, segmentPool, logger })
  return {
    app,
    logger,
    host: config.HOST,
    port: config.INGEST_PORT,
    portSetting: 'INGEST_PORT',
    supervised: config.BILLTRAIL_SUPERVISED === '1',
    close: async () => {
      stop()
      await Promise.all([pool.end(), uploadPool.end(), segmentPool.end()])
    },
  }
})
