import { type Environment, readConfig, settings } from '@billtrail/platform'
import { z } from 'zod'

const Config = z.object({
  HOST: settings.HOST,
  LOG_LEVEL: settings.LOG_LEVEL,
  BILLTRAIL_DATA_DIR: settings.BILLTRAIL_DATA_DIR,
  BILLTRAIL_ADMIN_KEY: settings.BILLTRAIL_ADMIN_KEY,
  BILLTRAIL_ORGANIZATION_SLUG: settings.BILLTRAIL_ORGANIZATION_SLUG,
  DATABASE_URL: settings.DATABASE_URL.optional(),
  S3_ENDPOINT: settings.S3_ENDPOINT,
  S3_REGION: settings.S3_REGION,
  BILLABLE_BUCKET: settings.BILLABLE_BUCKET,
  BILLING_INTERVAL_SECONDS: settings.BILLING_INTERVAL_SECONDS,
  BILLING_GRACE_HOURS: settings.BILLING_GRACE_HOURS,
  INGEST_PORT: settings.INGEST_PORT,
  USAGE_PORT: settings.USAGE_PORT,
  BILLING_PORT: settings.BILLING_PORT,
  INVOICE_PORT: settings.INVOICE_PORT,
  GATEWAY_PORT: settings.GATEWAY_PORT,
})

export type SupervisorConfig = z.infer<typeof Config>

/** Every setting of the product, checked before anything starts. Throws ConfigError naming the one at fault. */
export const supervisorConfig = (environment: Environment): SupervisorConfig =>
  readConfig(Config, environment)
