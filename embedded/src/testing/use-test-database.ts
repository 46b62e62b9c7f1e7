import { randomBytes } from 'node:crypto'
import { createLogger, createPool, type ServiceRole } from '@billtrail/platform'
import type { Pool } from 'pg'
import { copyTemplate, dropDatabase } from './template-database'

export interface TestDatabase {
  /** The address of this file's own database, for its owner. */
  url(): string
  /** A pool for the role named at the start, or for another one; `owner` may do everything. Closed by itself. */
  pool(role?: ServiceRole | 'owner'): Pool
}

/** The server that all database tests of a run share. Throws when there is none: such a test never passes unseen. */
export function testDatabaseServer(): string {
  const url = process.env['BILLTRAIL_TEST_DATABASE_URL']
  if (url === undefined) {
    throw new Error(
      'There is no test database: name this file x.db.test.ts, so that the project "db" runs it.',
    )
  }
  return url
}

/**
 * Gives a test file a database of its own: a copy of the migrated template, dropped when the file ends.
 *
 * Called at the top of the file or of a describe. `url` and `pool` are there from the first beforeAll on.
 */
export function useTestDatabase(role: ServiceRole | 'owner' = 'owner'): TestDatabase {
  const name = `test_${randomBytes(6).toString('hex')}`
  const logger = createLogger({ service: 'test', level: 'silent' })
  const pools = new Map<ServiceRole | 'owner', Pool>()
  let address: string | undefined

  beforeAll(async () => {
    address = await copyTemplate(testDatabaseServer(), name)
  })
  afterAll(async () => {
    await Promise.all([...pools.values()].map((pool) => pool.end()))
    await dropDatabase(testDatabaseServer(), name)
  })

  const url = (): string => {
    if (address === undefined)
      throw new Error('The database is there from beforeAll on, not before.')
    return address
  }
  return {
    url,
    pool(as = role) {
      const known = pools.get(as)
      if (known) return known
      const pool = createPool({ url: url(), logger, ...(as === 'owner' ? {} : { role: as }) })
      pools.set(as, pool)
      return pool
    },
  }
}
