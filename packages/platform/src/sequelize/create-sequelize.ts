import { BaseError, ConnectionError, Sequelize, type Transaction } from 'sequelize'
import { databaseUnavailable, type ServiceRole } from '../sql'

/**
 * Sequelize, for rows that people edit. It has a few connections of its own, with the service's role; a change
 * waits up to 5 s for a lock, then fails with 55P03.
 */
export function createSequelize(options: { url: string; role: ServiceRole }): Sequelize {
  const startup = [
    `-c role=${options.role}`,
    '-c timezone=UTC',
    '-c statement_timeout=60000',
    '-c lock_timeout=5000',
  ]
  return new Sequelize(options.url, {
    dialect: 'postgres',
    logging: false,
    pool: { max: 5, min: 0, idle: 10_000, acquire: 10_000 },
    dialectOptions: { options: startup.join(' '), keepAlive: true, connectionTimeoutMillis: 5_000 },
  })
}

/** Runs one job as one transaction; what fails is told in the driver's own error, not in Sequelize's. */
export async function inSequelizeTransaction<T>(
  sequelize: Sequelize,
  job: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  return unwrapErrors(() => sequelize.transaction(job))
}

/** Who asks need not know that errors passed through Sequelize. */
export async function unwrapErrors<T>(job: () => Promise<T>): Promise<T> {
  try {
    return await job()
  } catch (error) {
    // A connection that cannot be had in time is one of these too.
    if (error instanceof ConnectionError) throw databaseUnavailable()
    if (error instanceof BaseError && 'parent' in error && error.parent instanceof Error) {
      throw error.parent
    }
    throw error
  }
}
