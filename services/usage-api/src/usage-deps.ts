import type { Pool } from 'pg'
import type { Sequelize } from 'sequelize'
import type { Customers } from './customers/customer.model'
import type { GroupedCalls } from './usage/group-calls'
import type { KnownNumbers } from './usage/known-numbers'

/** What the use cases of this service work with. */
export interface UsageDeps {
  /** For events and usage. Its lock_timeout must be shorter than the server's deadlock_timeout. */
  readonly pool: Pool
  /** For what is asked of one customer at a time: statements are planned once for each connection. */
  readonly pointPool: Pool
  /** For customers, which people edit. */
  readonly sequelize: Sequelize
  readonly customers: Customers
  readonly numbers: KnownNumbers
  readonly groups: GroupedCalls
}
