import type { RequestListener } from 'node:http'
import { createApp, type Logger } from '@billtrail/platform'
import type { Sequelize } from 'sequelize'
import { catalogueRoutes } from './catalogue/catalogue.routes'
import type { InvoiceDeps } from './invoice-deps'
import { invoiceRoutes } from './invoices/invoices.routes'
import { organizationRoutes } from './organization/organization.routes'
import { priceRoutes } from './prices/prices.routes'
import { taxRateRoutes } from './taxes/tax-rates.routes'

export interface InvoiceApiOptions extends InvoiceDeps {
  readonly logger: Logger
  /** For the rows that people edit. Closed with the service. */
  readonly sequelize: Sequelize
}

/** invoice-api: invoices and their life, quotes, the catalogue, and the organization's settings. */
export function createInvoiceApi({ pool, logger, sequelize }: InvoiceApiOptions): {
  readonly app: RequestListener
  readonly close: () => Promise<void>
} {
  const app = createApp({
    service: 'invoice-api',
    logger,
    sql: pool,
    checks: { database: () => pool.query('select 1') },
    routes: [
      ...invoiceRoutes({ pool }),
      ...priceRoutes(),
      ...organizationRoutes({ pool }),
      ...catalogueRoutes({ pool, sequelize }),
      ...taxRateRoutes({ pool }),
    ],
  })
  const close = async (): Promise<void> => {
    await Promise.all([sequelize.close(), pool.end()])
  }
  return { app, close }
}
