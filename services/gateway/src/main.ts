import { createLogger, readConfig, runService, settings } from '@billtrail/platform'
import { z } from 'zod'
import { createGateway } from './create-gateway'

const origin = z
  .url({ protocol: /^http$/, error: 'use http://host:port' })
  .refine((url) => new URL(url).pathname === '/', 'use http://host:port, without a path')
  .optional()

const Config = z.object({
  HOST: settings.HOST,
  GATEWAY_PORT: settings.GATEWAY_PORT,
  INGEST_PORT: settings.INGEST_PORT,
  USAGE_PORT: settings.USAGE_PORT,
  BILLING_PORT: settings.BILLING_PORT,
  INVOICE_PORT: settings.INVOICE_PORT,
  INGEST_URL: origin,
  USAGE_URL: origin,
  BILLING_URL: origin,
  INVOICE_URL: origin,
  LOG_LEVEL: settings.LOG_LEVEL,
  BILLTRAIL_SUPERVISED: settings.BILLTRAIL_SUPERVISED,
})

void runService(() => {
  const config = readConfig(Config, process.env)
  const logger = createLogger({ service: 'gateway', level: config.LOG_LEVEL })
  const at = (url: string | undefined, port: number) => new URL(url ?? `http://127.0.0.1:${port}`)
  const gateway = createGateway({
    logger,
    origins: {
      'ingest-api': at(config.INGEST_URL, config.INGEST_PORT),
      'usage-api': at(config.USAGE_URL, config.USAGE_PORT),
      'billing-worker': at(config.BILLING_URL, config.BILLING_PORT),
      'invoice-api': at(config.INVOICE_URL, config.INVOICE_PORT),
    },
  })
  return {
    app: gateway.app,
    logger,
    host: config.HOST,
    port: config.GATEWAY_PORT,
    portSetting: 'GATEWAY_PORT',
    supervised: config.BILLTRAIL_SUPERVISED === '1',
    close: gateway.close,
  }
})
