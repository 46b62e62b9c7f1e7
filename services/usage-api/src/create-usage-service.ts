import type { RequestListener } from 'node:http'
import { createApp, type Logger } from '@billtrail/platform'
import type { Pool } from 'pg'
import type { Sequelize } from 'sequelize'
import { bucketRoutes } from './buckets/buckets.routes'
import { customersIn } from './customers/customer.model'
import { customerRoutes } from './customers/customers.routes'
import { groupCalls } from './usage/group-calls'
import { knownNumbers } from './usage/known-numbers'
import { preparedSql } from './usage/prepared-sql'
import { usageRoutes } from './usage/usage.routes'
import type { UsageDeps } from './usage-deps'

export interface UsageServiceOptions {
  readonly pool: Pool
  readonly pointPool: Pool
  readonly sequelize: Sequelize
  readonly logger: Logger
}

/** usage-api: customers, single usage events, and usage by month and by bucket. */
export function createUsageService({ pool, pointPool, sequelize, logger }: UsageServiceOptions): {
  readonly app: RequestListener
  readonly close: () => Promise<void>
} {
  const deps: UsageDeps = {
    pool,
    pointPool,
    sequelize,
    customers: customersIn(sequelize),
    numbers: knownNumbers(preparedSql(pointPool)),
    groups: groupCalls(pointPool),
  }
  const app = createApp({
    service: 'usage-api',
    logger,
    sql: pool,
    checks: { database: () => pool.query('select 1') },
    routes: [...customerRoutes(deps), ...usageRoutes(deps), ...bucketRoutes(deps)],
  })
  const close = async (): Promise<void> => {
    await Promise.all([sequelize.close(), pool.end(), pointPool.end()])
  }
  return { app, close }
}
