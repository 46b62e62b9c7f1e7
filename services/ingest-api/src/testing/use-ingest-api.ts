import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { useTestDatabase } from '@billtrail/embedded/testing'
import { createHttpServer, createLogger, createPool } from '@billtrail/platform'
import type { Pool } from 'pg'
import { createIngestApi } from '../create-ingest-api'
import type { BatchRows } from '../uploads/batch-shelf'
import { UPLOADS_AT_ONCE } from '../uploads/limit-uploads'
import type { ByteLimits } from '../uploads/read-bytes'
import { imbalances, isAllCounted } from './imbalances.repo'
import { until } from './slow-upload'
import { addOrganization, clientOf, type IngestClient } from './ingest-client'

export interface IngestApi {
  /** Where it listens, `http://127.0.0.1:…`. */
  address(): string
  /** The organization that most tests use. */
  client(): IngestClient
  /** Another organization, with a key of its own. */
  addClient(slug?: string): Promise<IngestClient>
  /** The database as its owner sees it. */
  owner(): Pool
  server(): Server
}

/** What the key of a segment takes that holds any event: each upload that stores something leaves its segment. */
export const ANY_KEY_BYTES = 2 * 8_192

/** So few that any file comes in several batches, and one can meet more stored rows than are few. */
export const FEW_ROWS: BatchRows = { small: 12, large: 24 }

interface Options {
  readonly limits?: ByteLimits
  /** When a segment of events is full. */
  readonly keyBytesMax?: number
  /** How many rows are stored at a time. */
  readonly batchRows?: BatchRows
  /** Where the service finds its database, when not at the address itself: a proxy in front of it. */
  readonly through?: (databaseUrl: string) => Promise<string>
}

/**
 * The service with its own role behind a real HTTP server, on a database of its own, for one test file. After each
 * test every row must be accounted for: usage equals events, and each upload's counts equal what it brought.
 */
export function useIngestApi(options: Options = {}): IngestApi {
  const database = useTestDatabase()
  const logger = createLogger({ service: 'ingest-api', level: 'silent' })
  let server: Server | undefined
  let address = ''
  let first: IngestClient | undefined
  let close: (() => Promise<unknown>) | undefined

  const addClient = async (slug = `org-${randomBytes(6).toString('hex')}`) =>
    clientOf(() => address, await addOrganization(database.pool('owner'), slug))

  beforeAll(async () => {
    const url = (await options.through?.(database.url())) ?? database.url()
    const connection = { url, role: 'billtrail_ingest', logger } as const
    const pool = createPool({ ...connection, lockTimeoutMs: 200 })
    const uploadPool = createPool({
      ...connection,
      maxConnections: UPLOADS_AT_ONCE,
      statementTimeoutMs: 0,
    })
    const segmentPool = createPool({ ...connection, maxConnections: 2 })
    const { limits, keyBytesMax, batchRows } = options
    const service = createIngestApi({
      pool,
      uploadPool,
      segmentPool,
      logger,
      ...(limits ? { limits } : {}),
      ...(keyBytesMax === undefined ? {} : { keyBytesMax }),
      ...(batchRows ? { batchRows } : {}),
    })
    server = createHttpServer(service.app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    close = () => {
      service.stop()
      return Promise.all([pool.end(), uploadPool.end(), segmentPool.end()])
    }
    first = await addClient('first')
  })
  afterEach(async () => {
    const sql = database.pool('owner')
    expect(await imbalances(sql)).toEqual([])
    // An upload's usage is counted after its answer; readers must not notice.
    await until(async () => (await isAllCounted(sql)) || undefined)
    expect(await imbalances(sql)).toEqual([])
  })
  afterAll(async () => {
    server?.close()
    server?.closeAllConnections()
    await close?.()
  })

  const started = <T>(part: T | undefined): T => {
    if (part === undefined) throw new Error('The service is there from beforeAll on, not before.')
    return part
  }
  return {
    address: () => address,
    client: () => started(first),
    addClient,
    owner: () => database.pool('owner'),
    server: () => started(server),
  }
}
