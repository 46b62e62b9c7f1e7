import { createOrganization, ensureAdminKey, newKey } from '@billtrail/db'
import { useTestDatabase } from '@billtrail/embedded/testing'
import { createLogger, createPool } from '@billtrail/platform'
import { createSequelize } from '@billtrail/platform/sequelize'
import type { Pool } from 'pg'
import request from 'supertest'
import { createUsageService } from '../create-usage-service'

type Method = 'get' | 'post' | 'patch'

/** What came back: nothing is known of its body until it is compared or parsed. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly body: unknown
}

export interface Call extends PromiseLike<Answer> {
  expect(status: number): Call
  set(header: string, value: string): Call
}

/** One organization's view of the service. */
export interface ApiClient {
  readonly organizationId: string
  call(method: Method, path: string, body?: unknown): Call
}

export interface UsageApi {
  /** The organization that most tests use. */
  client(): ApiClient
  addOrganization(slug: string): Promise<ApiClient>
  /** The database as its owner sees it. */
  owner(): Pool
  /** Asks without a key. */
  anonymous(path: string): Call
}

/** The service with its own role, on a database of its own, for one test file. */
export function useUsageApi(): UsageApi {
  const database = useTestDatabase()
  const logger = createLogger({ service: 'usage-api', level: 'silent' })
  let service: ReturnType<typeof createUsageService> | undefined
  let first: ApiClient | undefined

  const started = () => {
    if (!service) throw new Error('The service is there from beforeAll on, not before.')
    return service
  }
  const addOrganization = async (slug: string): Promise<ApiClient> => {
    const organizationId = await createOrganization(database.pool('owner'), { slug })
    const key = newKey()
    await ensureAdminKey(database.pool('owner'), { organizationId, key })
    return {
      organizationId,
      call(method, path, body) {
        const call = request(started().app)[method](path).set('authorization', `Bearer ${key}`)
        return body === undefined ? call : call.send(body as object)
      },
    }
  }

  beforeAll(async () => {
    const url = database.url()
    const role = 'billtrail_usage'
    service = createUsageService({
      pool: createPool({ url, role, lockTimeoutMs: 200, logger }),
      pointPool: createPool({ url, role, lockTimeoutMs: 200, plansOnce: true, logger }),
      sequelize: createSequelize({ url, role }),
      logger,
    })
    first = await addOrganization('first')
  })
  afterAll(async () => {
    await service?.close()
  })

  return {
    client() {
      if (!first) throw new Error('The organization is there from beforeAll on, not before.')
      return first
    },
    addOrganization,
    owner: () => database.pool('owner'),
    anonymous: (path) => request(started().app).get(path),
  }
}
