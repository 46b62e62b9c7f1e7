import { createLogger } from '@billtrail/platform'
import { randomUUID } from 'node:crypto'
import { eventRoutes } from './events/events.routes'
import { createSegments } from './segments/create-segments'
import { ledgerRoutes } from './ledger/ledger.routes'
import { problemIn } from './testing/ingest-client'
import { openSlowUpload } from './testing/slow-upload'
import { usageCsv, usageRows } from './testing/usage-csv'
import { useIngestApi } from './testing/use-ingest-api'

const api = useIngestApi()
const MIB = 1024 ** 2

interface Operation {
  readonly method: string
  readonly path: string
}

/** Every call that the service says it answers. */
async function operations(): Promise<Operation[]> {
  const answer = await api.client().call('GET', '/openapi.json')
  const { paths } = answer.body as { paths: Record<string, Record<string, unknown>> }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path })),
  )
}

const isObjectRoute = ({ path }: Operation) => path.includes('{id}')

test('without a key, or with a wrong one, every route answers 401', async () => {
  const all = await operations()
  const pool = api.owner()
  const segments = createSegments({
    pool,
    logger: createLogger({ service: 'test', level: 'silent' }),
  })
  const known = [...eventRoutes({ pool, segments }), ...ledgerRoutes({ pool })]
  expect(all.length).toBeGreaterThan(known.length + 6)
  for (const { method, path } of all) {
    const address = `${api.address()}${path.replace('{id}', randomUUID()).replace('{line}', '2')}`
    for (const headers of [
      {},
      { authorization: 'Bearer bt_wrong' },
      { authorization: 'Basic x' },
    ]) {
      const response = await fetch(address, { method, headers })
      expect({ method, path, status: response.status }).toEqual({ method, path, status: 401 })
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/)
      expect(response.headers.get('www-authenticate')).toContain('Bearer')
      expect(await response.json()).toMatchObject({ code: 'unauthenticated' })
    }
  }
})

test('another organization’s upload is not there, on every route that names one', async () => {
  const owner = await api.addClient()
  const stranger = await api.addClient()
  const rows = usageRows(3, 'mine')
  await owner.upload(usageCsv(rows))
  const conflicting = rows.map((row) => ({ ...row, quantity: '99' }))
  const upload = await owner.upload(usageCsv([...conflicting, { ...rows[0]!, quantity: 'x' }]))
  const routes = (await operations()).filter(isObjectRoute)
  expect(routes.map((route) => `${route.method} ${route.path}`).sort()).toEqual([
    'GET /v1/uploads/{id}',
    'GET /v1/uploads/{id}/conflicts',
    'GET /v1/uploads/{id}/preview',
    'GET /v1/uploads/{id}/rejects',
    'POST /v1/uploads/{id}/commit',
    'POST /v1/uploads/{id}/conflicts/{line}/accept',
    'POST /v1/uploads/{id}/discard',
    'POST /v1/uploads/{id}/revert',
  ])
  for (const { method, path } of routes) {
    for (const accept of ['application/json', 'text/csv']) {
      const mine = path.replace('{id}', upload.id).replace('{line}', '2')
      const answer = await stranger.call(method, mine, { headers: { accept } })
      expect({ path, ...problemIn(answer) }).toMatchObject({
        path,
        status: 404,
        code: 'upload_not_found',
      })
    }
  }
  expect(await owner.call('GET', `/v1/uploads/${upload.id}`)).toMatchObject({
    status: 200,
    body: { state: 'committed', conflicts: 3, rejected: 1 },
  })
})

test('another organization sees nothing of it in lists, events and exports', async () => {
  const owner = await api.addClient()
  const stranger = await api.addClient()
  const upload = await owner.upload(usageCsv(usageRows(3, 'mine')))
  expect(await stranger.uploads()).toEqual([])
  expect(await stranger.events()).toEqual([])
  const exported = await stranger.call('GET', '/v1/events', { headers: { accept: 'text/csv' } })
  expect(exported.text.trim().split('\n')).toHaveLength(1)
  const path = `/v1/events?upload_id=${upload.id}`
  expect(problemIn(await stranger.call('GET', path))).toMatchObject({ status: 404 })
})

test.each([
  ['an upload', '/v1/uploads', 'text/csv'],
  ['a form', '/v1/uploads', 'multipart/form-data; boundary=b'],
  ['events', '/v1/events', 'application/json'],
])(
  'without a key %s gets its answer before the body is read, not a reset',
  async (_what, path, type) => {
    const slow = openSlowUpload(api.address(), 'bt_wrong', {
      path,
      headers: { 'content-type': type },
    })
    const answered = new Promise<number>((resolve) => {
      slow.request.once('response', (response) => resolve(response.statusCode ?? 0))
    })
    await slow.write('x'.repeat(1024))
    expect(await answered).toBe(401)
    for (let sent = 0; sent < 20; sent++) await slow.write('x'.repeat(MIB))
    expect(await slow.end()).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
  },
)

test('an upload id that is none is refused, and an unknown path is not there', async () => {
  const client = api.client()
  expect(problemIn(await client.call('GET', '/v1/uploads/7')).status).toBe(422)
  expect(problemIn(await client.call('GET', `/v1/uploads/${randomUUID()}`)).status).toBe(404)
  expect(problemIn(await client.call('GET', '/v1/nothing'))).toMatchObject({
    status: 404,
    code: 'no_such_path',
  })
})
