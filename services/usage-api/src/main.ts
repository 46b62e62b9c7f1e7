import { createLogger, createPool, readConfig, runService, settings } from '@billtrail/platform'
import { createSequelize } from '@billtrail/platform/sequelize'
import { z } from 'zod'
import { createUsageService } from './create-usage-service'

const Config = z.object({
  HOST: settings.HOST,
  USAGE_PORT: settings.USAGE_PORT,
  DATABASE_URL: settings.DATABASE_URL,
  LOG_LEVEL: settings.LOG_LEVEL,
  BILLTRAIL_SUPERVISED: settings.BILLTRAIL_SUPERVISED,
})

const ROLE = 'billtrail_usage'
/** Below PostgreSQL's deadlock_timeout of 1 s: this side gives way to an upload that stores the same event. */
const LOCK_TIMEOUT_MS = 200

void runService(() => {
  const config = readConfig(Config, process.env)
  const logger = createLogger({ service: 'usage-api', level: config.LOG_LEVEL })
  const url = config.DATABASE_URL
  const connection = { url, role: ROLE, lockTimeoutMs: LOCK_TIMEOUT_MS, logger } as const
  const pool = createPool(connection)
  const pointPool = createPool({ ...connection, plansOnce: true })
  const sequelize = createSequelize({ url, role: ROLE })
  const { app, close } = createUsageService({ pool, pointPool, sequelize, logger })
  return {
    app,
    logger,
    host: config.HOST,
    port: config.USAGE_PORT,
    portSetting: 'USAGE_PORT',
    supervised: config.BILLTRAIL_SUPERVISED === '1',
    close,
  }
})
