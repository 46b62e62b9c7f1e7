import { createLogger, createPool, readConfig, runService, settings } from '@billtrail/platform'
import { createSequelize } from '@billtrail/platform/sequelize'
import { z } from 'zod'
import { createInvoiceApi } from './create-invoice-api'

const Config = z.object({
  HOST: settings.HOST,
  INVOICE_PORT: settings.INVOICE_PORT,
  DATABASE_URL: settings.DATABASE_URL,
  LOG_LEVEL: settings.LOG_LEVEL,
  BILLTRAIL_SUPERVISED: settings.BILLTRAIL_SUPERVISED,
})

/** A batch of a billing cycle holds its invoices about as long. */
const LOCK_TIMEOUT_MS = 5_000

void runService(() => {
  const config = readConfig(Config, process.env)
  const logger = createLogger({ service: 'invoice-api', level: config.LOG_LEVEL })
  const pool = createPool({
    url: config.DATABASE_URL,
    role: 'billtrail_invoice',
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    logger,
  })
  const sequelize = createSequelize({ url: config.DATABASE_URL, role: 'billtrail_invoice' })
  const { app, close } = createInvoiceApi({ pool, sequelize, logger })
  return {
    app,
    logger,
    host: config.HOST,
    port: config.INVOICE_PORT,
    portSetting: 'INVOICE_PORT',
    supervised: config.BILLTRAIL_SUPERVISED === '1',
    close,
  }
})
