import { setTimeout as delay } from 'node:timers/promises'
import { createLogger, createPool } from '@billtrail/platform'
import { createFileStore } from '@billtrail/platform/file-store'
import request from 'supertest'
import { createBillingWorker, type BillingWorker } from '../create-billing-worker'
import { createCable } from '@billtrail/embedded/testing'
import { useBillingWorker } from '../testing/use-billing-worker'

const setup = useBillingWorker()
const [database, storage] = [createCable(), createCable()]
const logger = createLogger({ service: 'billing-worker', level: 'silent' })
let worker: BillingWorker | undefined

beforeAll(async () => {
  const url = await database.lay(setup.url())
  const { S3_ENDPOINT, S3_REGION: region, BILLABLE_BUCKET: bucket } = setup.bucket.settings()
  const endpoint = await storage.lay(S3_ENDPOINT)
  const role = 'billtrail_billing'
  worker = createBillingWorker({
    pool: createPool({ url, role, logger }),
    cyclePool: createPool({ url, role, logger, maxConnections: 2 }),
    files: createFileStore({ endpoint, region, bucket }),
    logger,
    intervalSeconds: 1,
    graceHours: 0,
  })
  worker.scheduler.start()
})
afterAll(async () => {
  await worker?.close()
  await Promise.all([database.cut(), storage.cut()])
})

const UNTIL_MS = 10_000

/** Looks until it holds; what it waits for must come within 10 s, as the product promises of its health. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + UNTIL_MS
  while (!(await holds())) {
    if (Date.now() > giveUpAt) throw new Error(`It did not come within ${UNTIL_MS} ms.`)
    await delay(50)
  }
}

const health = async (): Promise<{ status: number; text: string }> => {
  const { status, text } = await request(worker!.app).get('/health/ready')
  return { status, text }
}
const ready = async () => (await health()).status === 200

const billsOf = async (organizationId: string): Promise<number> => {
  const { rows } = await setup
    .owner()
    .query('select from bills where organization_id = $1', [organizationId])
  return rows.length
}

test('while the storage is down, health says so and bills are made; once it is back, so are the files', async () => {
  const tenant = await setup.addTenant('storage-down')
  await until(ready)
  await storage.cut()
  await tenant.use({ customer: '1', name: 'Ann', quantity: '10' })
  await until(async () => (await billsOf(tenant.id)) === 1)
  const down = await health()
  expect(down.status).toBe(503)
  expect(JSON.parse(down.text)).toMatchObject({
    status: 'not_ready',
    checks: { storage: { status: 'failed' }, database: { status: 'ok' } },
  })
  expect(await tenant.file()).toBeUndefined()
  await storage.mend()
  worker?.scheduler.wake()
  await until(async () => (await tenant.file()) === '0000000001\tAnn\t10\t$50.00\n')
  await until(ready)
  const runs = await tenant.call('get', '/v1/billing-runs').expect(200)
  expect(runs.body).toMatchObject({ data: [{ state: 'completed', checks: { balanced: true } }] })
})

test('while the database is down, requests are refused; once it is back, the next cycle is right', async () => {
  const tenant = await setup.addTenant('database-down')
  await until(ready)
  await database.cut()
  const refused = await request(worker!.app)
    .get('/v1/billing-runs')
    .set('authorization', 'Bearer some-key-nobody-knows')
  expect(refused.status).toBe(503)
  expect(refused.headers['content-type']).toContain('application/problem+json')
  const down = await health()
  expect(JSON.parse(down.text)).toMatchObject({ checks: { database: { status: 'failed' } } })
  await tenant.use({ customer: '1', name: 'Ann', quantity: '11' })
  await until(async () => (await health()).text.includes('The last billing cycle failed'))
  await database.mend()
  worker?.scheduler.wake()
  await until(async () => (await tenant.file()) === '0000000001\tAnn\t11\t$44.00\n')
  await until(ready)
})
