import { createLogger, createPool, readConfig, runService, settings } from '@billtrail/platform'
import { createFileStore } from '@billtrail/platform/file-store'
import { z } from 'zod'
import { createBillingWorker } from './create-billing-worker'

const Config = z.object({
  HOST: settings.HOST,
  BILLING_PORT: settings.BILLING_PORT,
  DATABASE_URL: settings.DATABASE_URL,
  S3_ENDPOINT: settings.S3_ENDPOINT,
  S3_REGION: settings.S3_REGION,
  BILLABLE_BUCKET: settings.BILLABLE_BUCKET,
  BILLING_INTERVAL_SECONDS: settings.BILLING_INTERVAL_SECONDS,
  BILLING_GRACE_HOURS: settings.BILLING_GRACE_HOURS,
  LOG_LEVEL: settings.LOG_LEVEL,
  BILLTRAIL_SUPERVISED: settings.BILLTRAIL_SUPERVISED,
})

const ROLE = 'billtrail_billing'
/** A statement of a cycle may look at every bill of a month. */
const CYCLE_STATEMENT_MS = 600_000

void runService(() => {
  const config = readConfig(Config, process.env)
  const logger = createLogger({ service: 'billing-worker', level: config.LOG_LEVEL })
  const database = { url: config.DATABASE_URL, role: ROLE, logger } as const
  const worker = createBillingWorker({
    pool: createPool(database),
    cyclePool: createPool({
      ...database,
      maxConnections: 2,
      statementTimeoutMs: CYCLE_STATEMENT_MS,
    }),
    files: createFileStore({
      endpoint: config.S3_ENDPOINT,
      region: config.S3_REGION,
      bucket: config.BILLABLE_BUCKET,
    }),
    logger,
    intervalSeconds: config.BILLING_INTERVAL_SECONDS,
    graceHours: config.BILLING_GRACE_HOURS,
  })
  worker.scheduler.start()
  return {
    app: worker.app,
    logger,
    host: config.HOST,
    port: config.BILLING_PORT,
    portSetting: 'BILLING_PORT',
    supervised: config.BILLTRAIL_SUPERVISED === '1',
    close: worker.close,
  }
})
