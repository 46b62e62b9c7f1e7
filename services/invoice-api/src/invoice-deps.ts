import type { Pool } from 'pg'

/** What the use cases of this service work with. */
export interface InvoiceDeps {
  /** With a lock_timeout: what waits longer than that for a billing cycle is refused with `busy`. */
  readonly pool: Pool
}
