/** The services behind the gateway, by the name they have in health answers and logs. */
export const SERVICES = ['ingest-api', 'usage-api', 'billing-worker', 'invoice-api'] as const

export type ServiceName = (typeof SERVICES)[number]

/** Where each service listens: an origin such as `http://127.0.0.1:4001`. */
export type ServiceOrigins = Readonly<Record<ServiceName, URL>>

/**
 * Which service answers which path. A path stands for itself and everything below it, in Express's notation;
 * the first that fits decides.
 */
export const FORWARDED: readonly (readonly [path: string, service: ServiceName])[] = [
  ['/v1/customers/:id/invoices', 'invoice-api'],
  ['/v1/customers/:id/tax-rates', 'invoice-api'],
  ['/v1/customers', 'usage-api'],
  ['/v1/usage', 'usage-api'],
  ['/v1/alerts', 'usage-api'],
  ['/v1/uploads', 'ingest-api'],
  ['/v1/events', 'ingest-api'],
  ['/v1/ledger', 'ingest-api'],
  ['/v1/leads', 'ingest-api'],
  ['/v1/purchases', 'ingest-api'],
  ['/v1/billing-runs', 'billing-worker'],
  ['/v1/billable-files', 'billing-worker'],
  ['/v1/invoices', 'invoice-api'],
  ['/v1/disputes', 'invoice-api'],
  ['/v1/credit-notes', 'invoice-api'],
  ['/v1/plans', 'invoice-api'],
  ['/v1/meters', 'invoice-api'],
  ['/v1/subscriptions', 'invoice-api'],
  ['/v1/catalogue', 'invoice-api'],
  ['/v1/prices', 'invoice-api'],
  ['/v1/organization', 'invoice-api'],
  ['/v1/simulations', 'invoice-api'],
  ['/v1/reports', 'invoice-api'],
  ['/v1/tax-rates', 'invoice-api'],
]
