import type { Socket } from 'node:net'
import { types } from 'node:util'
import { DomainError } from '@billtrail/domain'
import { Pool, type PoolClient, type QueryResult, type QueryResultRow } from 'pg'
import type { Logger } from './logger'

export type { Pool } from 'pg'

/** The only door to the database: a pool, or one connection inside a transaction. */
export interface Sql {
  query<Row extends QueryResultRow = QueryResultRow>(
    text: string,
    values?: readonly unknown[],
  ): Promise<QueryResult<Row>>
}

export type ServiceRole =
  | 'billtrail_ingest'
  | 'billtrail_usage'
  | 'billtrail_billing'
  | 'billtrail_invoice'

export interface PoolOptions {
  readonly url: string
  /** The service's own role, taken when a connection opens: only its grants count from then on. */
  readonly role?: ServiceRole
  readonly maxConnections?: number
  /** A statement that runs longer is cancelled by the server. 0: never. */
  readonly statementTimeoutMs?: number
  /**
   * A connection that gives no answer for longer is given up: the server's end of it has gone without a word. By default
   * 5 s after the server would have cancelled the statement; never, where it would not.
   */
  readonly answerTimeoutMs?: number
  /** A statement that waits longer for a lock fails with 55P03. 0, the default: it waits. */
  readonly lockTimeoutMs?: number
  /** Plans each named statement once for all values: for the same few statements on one customer at a time. */
  readonly plansOnce?: boolean
  readonly logger: Logger
}

const STATEMENT_TIMEOUT_MS = 30_000
const ANSWER_MARGIN_MS = 5_000

/** Connections are opened when needed and given up after 10 s without use. */
export function createPool(options: PoolOptions): Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS
  const answerTimeoutMs =
    options.answerTimeoutMs ?? (statementTimeoutMs > 0 ? statementTimeoutMs + ANSWER_MARGIN_MS : 0)
  const startup = [
    options.role === undefined ? '' : `-c role=${options.role}`,
    '-c timezone=UTC',
    `-c statement_timeout=${statementTimeoutMs}`,
    `-c lock_timeout=${options.lockTimeoutMs ?? 0}`,
    options.plansOnce === true ? '-c plan_cache_mode=force_generic_plan' : '',
  ]
  const pool = new Pool({
    connectionString: options.url,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 10_000,
    keepAlive: true,
    options: startup.filter(Boolean).join(' '),
  })
  // An idle connection that breaks reports here; the next query opens a new one.
  pool.on('error', (error) =>
    options.logger.warn({ reason: error.message }, 'idle connection lost'),
  )
  // One that breaks in somebody's hands says so to the statement it runs, or to the next. In the moment it is handed on, or
  // between two statements, nobody may listen: that would end the process.
  pool.on('connect', (client) => {
    client.on('error', () => undefined)
    if (answerTimeoutMs > 0) giveUpWhenMute(client, answerTimeoutMs)
  })
  return pool
}

/** What the driver's types leave out. */
interface DriverClient {
  readonly connection: { readonly stream: Socket }
  /** Nothing is asked of it. */
  readonly readyForQuery: boolean
}

/**
 * One timer for each connection, its socket's own. The driver's `query_timeout` starts one for each statement and wraps its callback,
 * and V8 then kept a third of what a statement allocates until the next mark-compact.
 */
function giveUpWhenMute(client: PoolClient, answerTimeoutMs: number): void {
  const driver = client as unknown as DriverClient
  const { stream } = driver.connection
  stream.setTimeout(answerTimeoutMs, () => {
    if (!driver.readyForQuery) stream.destroy(new Error(UNANSWERED))
  })
}

/** Runs one job as one transaction: all of it or nothing. */
export async function inTransaction<T>(
  pool: Pool,
  job: (client: PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect()
  let broken: Error | undefined
  // Without a listener, a connection that breaks between two statements would end the process.
  const onError = (error: Error) => (broken = error)
  client.on('error', onError)
  try {
    await client.query('begin')
    const result = await job(client)
    await client.query('commit')
    return result
  } catch (error) {
    // A connection that gave no answer would have us wait as long for this one. When it is closed the server rolls back.
    if (isUnanswered(error)) broken ??= asError(error)
    else await client.query('rollback').catch((failure: unknown) => (broken ??= asError(failure)))
    throw error
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

/** Also an error of another realm, which `instanceof` does not know: sockets throw such in a test's own realm. */
const isError = (error: unknown): error is Error => types.isNativeError(error)

const asError = (error: unknown): Error => (isError(error) ? error : new Error(String(error)))

const codeOf = (error: unknown): string => {
  const code: unknown = isError(error) && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

/** The SQLSTATE of a database error, or the system's error code; '' where there is none. */
export const sqlState = codeOf

const NETWORK = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'ETIMEDOUT',
  'EPIPE',
  'EAI_AGAIN',
])
const UNANSWERED = 'Query read timeout'
const isUnanswered = (error: unknown): boolean => isError(error) && error.message === UNANSWERED

const LOST = /^(08|57P0[1-5]|53)/
const LOST_MESSAGES =
  /connection terminated|query read timeout|timeout exceeded when trying to connect|connection timeout|not queryable|server closed the connection/i

/** Whether the database was not there, was going away or had no room: worth another try later. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!isError(error)) return false
  const inner: unknown = error instanceof AggregateError ? error.errors[0] : undefined
  if (inner !== undefined && isDatabaseUnavailable(inner)) return true
  const code = codeOf(error)
  return NETWORK.has(code) || LOST.test(code) || LOST_MESSAGES.test(error.message)
}

const DISK_FULL = '53100'

/** What to tell the caller of an error that `isDatabaseUnavailable`: that it does not answer, or that its disk is full. */
export const databaseUnavailable = (error?: unknown): DomainError =>
  codeOf(error) === DISK_FULL
    ? new DomainError(
        'unavailable',
        'disk_full',
        "The database's disk is full. Nothing was stored; send the request again when there is room.",
        [],
        60,
      )
    : new DomainError(
        'unavailable',
        'database_unavailable',
        'The database does not answer. Send the request again in a moment: what was stored all the same is not stored twice if it has an id or an Idempotency-Key.',
        [],
        5,
      )
