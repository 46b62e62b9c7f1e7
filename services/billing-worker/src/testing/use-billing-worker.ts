import {
  DeleteBucketCommand,
  DeleteObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3'
import {
  createOrganization,
  ensureAdminKey,
  internCustomers,
  internEventTypes,
  newKey,
  recordEvents,
} from '@billtrail/db'
import { type TestBucket, useTestBucket, useTestDatabase } from '@billtrail/embedded/testing'
import { createLogger, createPool } from '@billtrail/platform'
import { createFileStore } from '@billtrail/platform/file-store'
import type { Pool } from 'pg'
import request from 'supertest'
import { createBillingWorker, type BillingWorker } from '../create-billing-worker'

export interface Use {
  readonly customer: string
  readonly name?: string
  /** Default 1. */
  readonly quantity?: string
  readonly unitPrice?: string
  /** Default: now. */
  readonly date?: string
}

/** An organization, and one's way to its data. */
export interface Tenant {
  readonly id: string
  readonly slug: string
  use(...uses: readonly Use[]): Promise<void>
  call(method: 'get' | 'post', path: string, body?: object): request.Test
  /** The bytes under `<slug>/<path>`; undefined: nothing lies there. */
  file(path?: string): Promise<string | undefined>
}

export interface BillingSetup {
  readonly bucket: TestBucket
  owner(): Pool
  worker(): BillingWorker
  /** Another worker on the same database and bucket. */
  addWorker(options?: { graceHours?: number }): BillingWorker
  addTenant(slug: string): Promise<Tenant>
  /** The address of this file's database. */
  url(): string
  /** Takes the bucket away with all that is in it. */
  dropBucket(): Promise<void>
}

const logger = createLogger({ service: 'billing-worker', level: 'silent' })
const ROLE = 'billtrail_billing'

async function emptyAndDelete(bucket: TestBucket): Promise<void> {
  const { S3_ENDPOINT: endpoint, S3_REGION: region, BILLABLE_BUCKET: Bucket } = bucket.settings()
  const client = new S3Client({ endpoint, region, forcePathStyle: true })
  try {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket }))
    for (const { Key } of Contents) await client.send(new DeleteObjectCommand({ Bucket, Key }))
    await client.send(new DeleteBucketCommand({ Bucket }))
  } finally {
    client.destroy()
  }
}

/** The billing worker with its own role, a database and a bucket of its own, for one test file. */
export function useBillingWorker(options: { graceHours?: number } = {}): BillingSetup {
  const database = useTestDatabase()
  const bucket = useTestBucket()
  const workers: BillingWorker[] = []
  let eventsMade = 0

  const addWorker = ({ graceHours = 0 } = options): BillingWorker => {
    const { S3_ENDPOINT: endpoint, S3_REGION: region, BILLABLE_BUCKET } = bucket.settings()
    const url = database.url()
    const worker = createBillingWorker({
      pool: createPool({ url, role: ROLE, logger }),
      cyclePool: createPool({ url, role: ROLE, logger, maxConnections: 2 }),
      files: createFileStore({ endpoint, region, bucket: BILLABLE_BUCKET }),
      logger,
      intervalSeconds: 60,
      graceHours,
    })
    workers.push(worker)
    return worker
  }
  beforeAll(() => {
    addWorker()
  })
  afterAll(async () => {
    await Promise.all(workers.map((worker) => worker.close()))
  })
  const worker = (): BillingWorker => {
    const [first] = workers
    if (!first) throw new Error('The worker is there from beforeAll on, not before.')
    return first
  }

  const recordUse = async (organizationId: string, uses: readonly Use[]): Promise<void> => {
    const sql = database.pool('owner')
    const met = uses.map((use) => ({ id: use.customer, name: use.name ?? null }))
    const numbers = await internCustomers(sql, organizationId, met)
    const [eventTypeNo = 0] = await internEventTypes(sql, organizationId, ['api_call'])
    const events = uses.map((use, at) => {
      eventsMade += 1
      return {
        customerNo: numbers[at] ?? 0,
        eventTypeNo,
        eventKey: `00000000-0000-4000-9000-${String(eventsMade).padStart(12, '0')}`,
        eventId: null,
        eventDate: use.date ?? new Date().toISOString(),
        quantity: use.quantity ?? '1',
        unitPrice: use.unitPrice ?? null,
        properties: null,
      }
    })
    await recordEvents(sql, events)
  }

  return {
    bucket,
    addWorker,
    worker,
    owner: () => database.pool('owner'),
    url: () => database.url(),
    dropBucket: () => emptyAndDelete(bucket),
    async addTenant(slug) {
      const id = await createOrganization(database.pool('owner'), { slug })
      const key = newKey()
      await ensureAdminKey(database.pool('owner'), { organizationId: id, key })
      return {
        id,
        slug,
        use: (...uses) => recordUse(id, uses),
        call(method, path, body) {
          const call = request(worker().app)[method](path).set('authorization', `Bearer ${key}`)
          return body === undefined ? call : call.send(body)
        },
        async file(path = 'billable_customers.txt') {
          return (await bucket.files().get(`${slug}/${path}`))?.toString('utf8')
        },
      }
    },
  }
}
