import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createOrganization, ensureAdminKey, newKey } from '@billtrail/db'
import { createCable, useTestDatabase } from '@billtrail/embedded/testing'
import { createLogger, createPool, isDatabaseUnavailable } from '@billtrail/platform'
import { createSequelize } from '@billtrail/platform/sequelize'
import request from 'supertest'
import { createUsageService } from './create-usage-service'

const database = useTestDatabase()
const role = 'billtrail_usage'
const logger = createLogger({ service: 'usage-api', level: 'silent' })

/** An address at which nobody listens. */
async function deadAddress(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `postgresql://nobody@127.0.0.1:${port}/none`
}

test('a database that is not there is answered with 503, also where Sequelize asks it', async () => {
  const key = newKey()
  const organizationId = await createOrganization(database.pool(), { slug: 'outage' })
  await ensureAdminKey(database.pool(), { organizationId, key })
  const { app, close } = createUsageService({
    pool: createPool({ url: database.url(), role, logger }),
    pointPool: createPool({ url: database.url(), role, logger, plansOnce: true }),
    sequelize: createSequelize({ url: await deadAddress(), role }),
    logger,
  })
  const authorization = `Bearer ${key}`
  try {
    const list = await request(app).get('/v1/customers').set({ authorization }).expect(503)
    expect(list.body).toMatchObject({ code: 'database_unavailable' })
    await request(app).post('/v1/customers').set({ authorization }).send({ id: 'x' }).expect(503)
  } finally {
    await close()
  }
})

test('a connection that the server ends is replaced by the next request', async () => {
  const key = newKey()
  const organizationId = await createOrganization(database.pool(), { slug: 'cut' })
  await ensureAdminKey(database.pool(), { organizationId, key })
  const sequelize = createSequelize({ url: database.url(), role })
  const { app, close } = createUsageService({
    pool: createPool({ url: database.url(), role, logger }),
    pointPool: createPool({ url: database.url(), role, logger, plansOnce: true }),
    sequelize,
    logger,
  })
  const list = () => request(app).get('/v1/customers').set('authorization', `Bearer ${key}`)
  try {
    await list().expect(200)
    await database.pool().query(
      `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and pid <> pg_backend_pid()`,
    )
    // One answer may say that the database went away; the process lives and the next is served.
    expect([200, 503]).toContain((await list()).status)
    await list().expect(200)
  } finally {
    await close()
  }
})

test('people’s rows are edited with the service’s own role', async () => {
  const sequelize = createSequelize({ url: database.url(), role })
  try {
    await expect(sequelize.query('select current_user as role')).resolves.toEqual([
      [{ role }],
      expect.anything(),
    ])
    await expect(sequelize.query('delete from customers')).rejects.toThrow('permission denied')
  } finally {
    await sequelize.close()
  }
})

test('a connection that gives no answer is given up, and the next call gets another one', async () => {
  const cable = createCable()
  const url = await cable.lay(database.url())
  const pool = createPool({ url, role, logger, answerTimeoutMs: 3_000 })
  const ask = () => pool.query<{ one: number }>('select 1 as one').then(({ rows }) => rows)
  try {
    expect(await ask()).toEqual([{ one: 1 }])
    cable.freeze()
    const failure: unknown = await ask().catch((error: unknown) => error)
    expect(isDatabaseUnavailable(failure)).toBe(true)
    expect(await ask()).toEqual([{ one: 1 }])
  } finally {
    await cable.cut()
    await pool.end()
  }
})
