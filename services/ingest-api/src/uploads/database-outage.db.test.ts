import { Agent } from 'node:http'
import { createCable } from '@billtrail/embedded/testing'
import { problemIn } from '../testing/ingest-client'
import { newestOnce, openSlowUpload, until } from '../testing/slow-upload'
import { usageCsv, usageRows } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'

const cable = createCable()
const api = useIngestApi({ through: (url) => cable.lay(url) })
const UNAVAILABLE = { status: 503, code: 'database_unavailable' }

const ready = async (): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(`${api.address()}/health/ready`)
  return { status: response.status, body: await response.json() }
}
const isReady = async () => ((await ready()).status === 200 ? true : undefined)

beforeEach(async () => {
  await until(isReady)
})
afterAll(() => cable.cut())

test('while the database is away requests are told so, and after it returns they are served', async () => {
  const client = await api.addClient()
  await client.events()
  await cable.cut()
  const file = usageCsv(usageRows(20, 'away'))
  expect(await client.refused(file)).toMatchObject(UNAVAILABLE)
  const events = await client.call('POST', '/v1/events', {
    body: JSON.stringify(usageRows(1, 'event')),
    headers: { 'content-type': 'application/json' },
  })
  expect(problemIn(events)).toMatchObject(UNAVAILABLE)
  expect(problemIn(await client.call('GET', '/v1/events'))).toMatchObject(UNAVAILABLE)
  expect(problemIn(await client.call('GET', '/v1/uploads'))).toMatchObject(UNAVAILABLE)
  const exported = await client.call('GET', '/v1/events', { headers: { accept: 'text/csv' } })
  expect(exported.status).toBe(503)
  expect(await ready()).toMatchObject({
    status: 503,
    body: { status: 'not_ready', checks: { database: { status: 'failed' } } },
  })
  expect((await fetch(`${api.address()}/health/live`)).status).toBe(200)

  await cable.mend()
  await until(isReady)
  expect(await client.upload(file)).toMatchObject({ accepted: 20 })
})

test.each([
  ['few rows', 30],
  ['many rows', 70_000],
])(
  'an upload of %s that loses the database fails as a whole and can be sent again',
  async (_what, count) => {
    const client = await api.addClient()
    const file = usageCsv(usageRows(count, `lost${count}`))
    const half = Math.floor(file.length / 2)
    const slow = openSlowUpload(api.address(), client.key)
    await slow.write(file.slice(0, half))
    await newestOnce(client, 'processing')
    await cable.cut()
    const answer = await slow.end(file.slice(half))
    expect(problemIn(answer)).toMatchObject(UNAVAILABLE)

    await cable.mend()
    await until(isReady)
    // The service could not write down that it failed; the sweep does.
    expect(await newestOnce(client, 'failed')).toMatchObject({ accepted: 0 })
    expect(await client.events()).toEqual([])
    expect(await client.upload(file)).toMatchObject({ accepted: count })
  },
)

test('the connection on which an upload lost the database serves the next one', async () => {
  const client = await api.addClient()
  const file = usageCsv(usageRows(200_000, 'kept'))
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const slow = openSlowUpload(api.address(), client.key, { agent })
  await slow.write(file.slice(0, 1_000))
  await newestOnce(client, 'processing')
  await cable.cut()
  expect(problemIn(await slow.end(file.slice(1_000)))).toMatchObject(UNAVAILABLE)

  await cable.mend()
  await until(isReady)
  const next = openSlowUpload(api.address(), client.key, { agent })
  expect(await next.end(usageCsv(usageRows(20, 'kept')))).toMatchObject({ status: 201 })
  agent.destroy()
})

test('an upload whose connection alone is ended by the server fails as a whole', async () => {
  const client = await api.addClient()
  const file = usageCsv(usageRows(40, 'ended'))
  const slow = openSlowUpload(api.address(), client.key)
  await slow.write(file.slice(0, -20))
  await newestOnce(client, 'processing')
  await api.owner().query(
    `select pg_terminate_backend(pid) from pg_stat_activity
     where datname = current_database() and pid <> pg_backend_pid() and state = 'idle in transaction'`,
  )
  expect(problemIn(await slow.end(file.slice(-20)))).toMatchObject(UNAVAILABLE)
  expect(await newestOnce(client, 'failed')).toMatchObject({
    failure: { code: 'database_unavailable' },
  })
  expect(await client.upload(file)).toMatchObject({ accepted: 40 })
})
