import {
  billMonths,
  createOrganization,
  ensureAdminKey,
  internCustomers,
  internEventTypes,
  newKey,
  recordEvents,
} from '@billtrail/db'
import { useTestDatabase } from '@billtrail/embedded/testing'
import { createLogger, createPool, inTransaction } from '@billtrail/platform'
import { createSequelize } from '@billtrail/platform/sequelize'
import type { Pool } from 'pg'
import request from 'supertest'
import { createInvoiceApi } from '../create-invoice-api'

export interface Use {
  readonly customer: string
  readonly name?: string
  readonly quantity?: string
  readonly unitPrice?: string
  readonly date: string
  readonly type?: string
  readonly properties?: Readonly<Record<string, string>>
}

/** An organization, and one's way to its data. */
export interface Tenant {
  readonly id: string
  use(...uses: readonly Use[]): Promise<void>
  /** What the billing worker does with these months. */
  bill(...months: readonly { customer: string; period: string }[]): Promise<void>
  call(method: 'get' | 'post' | 'patch' | 'put', path: string, body?: object): request.Test
}

const logger = createLogger({ service: 'invoice-api', level: 'silent' })
const RUN_ID = '00000000-0000-4000-8000-000000000001'

/** The service with its own role, on a database of its own, for one test file. */
export function useInvoiceApi(): {
  owner(): Pool
  addTenant(slug: string): Promise<Tenant>
  anonymous(): ReturnType<typeof request>
} {
  const database = useTestDatabase()
  let service: ReturnType<typeof createInvoiceApi> | undefined
  let eventsMade = 0
  const started = () => {
    if (!service) throw new Error('The service is there from beforeAll on, not before.')
    return service
  }
  beforeAll(() => {
    const role = 'billtrail_invoice'
    const pool = createPool({ url: database.url(), role, lockTimeoutMs: 5_000, logger })
    const sequelize = createSequelize({ url: database.url(), role })
    service = createInvoiceApi({ pool, sequelize, logger })
  })
  afterAll(async () => {
    await service?.close()
  })

  const numbersOf = (organizationId: string, customers: readonly Partial<Use>[]) =>
    internCustomers(
      database.pool('owner'),
      organizationId,
      customers.map((one) => ({ id: one.customer ?? '', name: one.name ?? null })),
    )

  return {
    owner: () => database.pool('owner'),
    anonymous: () => request(started().app),
    async addTenant(slug) {
      const owner = database.pool('owner')
      const id = await createOrganization(owner, { slug })
      const key = newKey()
      await ensureAdminKey(owner, { organizationId: id, key })
      return {
        id,
        async use(...uses) {
          const numbers = await numbersOf(id, uses)
          const types = [...new Set(uses.map((use) => use.type ?? 'api_call'))]
          const typeNos = await internEventTypes(owner, id, types)
          const events = uses.map((use, at) => {
            eventsMade += 1
            return {
              customerNo: numbers[at] ?? 0,
              eventTypeNo: typeNos[types.indexOf(use.type ?? 'api_call')] ?? 0,
              eventKey: `00000000-0000-4000-9000-${String(eventsMade).padStart(12, '0')}`,
              eventId: null,
              eventDate: use.date,
              quantity: use.quantity ?? '1',
              unitPrice: use.unitPrice ?? null,
              properties: use.properties ?? null,
            }
          })
          await recordEvents(owner, events)
        },
        async bill(...months) {
          const numbers = await numbersOf(id, months)
          await inTransaction(database.pool('billtrail_billing'), (sql) =>
            billMonths(sql, {
              organizationId: id,
              billingRunId: RUN_ID,
              months: months.map(({ period }, at) => ({ customerNo: numbers[at] ?? 0, period })),
            }),
          )
        },
        call(method, path, body) {
          const call = request(started().app)[method](path).set('authorization', `Bearer ${key}`)
          return body === undefined ? call : call.send(body)
        },
      }
    },
  }
}
