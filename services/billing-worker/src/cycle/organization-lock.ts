import type { Sql } from '@billtrail/platform'
import type { Pool, PoolClient } from 'pg'

/** A connection that holds an organization's billing lock for as long as it lives. */
export interface LockedConnection extends Sql {
  /** All of it or nothing. */
  transaction<T>(job: (sql: Sql) => Promise<T>): Promise<T>
}

/** The class of our locks among advisory locks; any fixed number will do. */
const BILLING_LOCK = 724_561

/**
 * Runs a job as the only one that bills this organization, on whatever machine. Returns undefined when another
 * worker is at it.
 *
 * The lock belongs to the connection that the job works on: a worker that dies, or is cut off from the database,
 * loses both at once, and cannot go on beside its successor.
 */
export async function asOnlyBiller<T>(
  pool: Pool,
  organizationId: string,
  job: (connection: LockedConnection) => Promise<T>,
): Promise<T | undefined> {
  const client = await pool.connect()
  let broken: Error | undefined
  const onError = (error: Error) => (broken = error)
  client.on('error', onError)
  try {
    const { rows } = await client.query<{ locked: boolean }>(
      'select pg_try_advisory_lock($1, hashtext($2)) as locked',
      [BILLING_LOCK, organizationId],
    )
    if (rows[0]?.locked !== true) return undefined
    try {
      return await job(lockedConnection(client))
    } finally {
      await client
        .query('select pg_advisory_unlock($1, hashtext($2))', [BILLING_LOCK, organizationId])
        .catch((error: unknown) => (broken ??= asError(error)))
    }
  } finally {
    client.off('error', onError)
    // A connection that could not say that it let go of the lock is closed, which lets go of it too.
    client.release(broken)
  }
}

function lockedConnection(client: PoolClient): LockedConnection {
  return {
    query: (text, values) => client.query(text, values as unknown[] | undefined),
    async transaction(job) {
      await client.query('begin')
      try {
        const result = await job(client)
        await client.query('commit')
        return result
      } catch (error) {
        // Where this fails the connection is gone, and the transaction with it.
        await client.query('rollback').catch(() => undefined)
        throw error
      }
    },
  }
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error))
