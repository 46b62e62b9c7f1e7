import { mergeDocuments } from './merge-documents'
import { FORWARDED, type ServiceName, SERVICES } from './services'
import { get, jsonOf, textOf } from './testing/requests'
import { gatewayTestBench } from './testing/start-gateway'

const bench = gatewayTestBench()
afterEach(bench.stop)

/** Four services that answer with their own name, and a gateway before them. */
async function fourServices(answers: Partial<Record<string, object>> = {}) {
  const origins: Partial<Record<ServiceName, URL>> = {}
  for (const name of SERVICES) {
    const service = await bench.service((req, res) => {
      const answer = answers[`${name} ${req.url ?? ''}`] ?? answers[req.url ?? '']
      if (!answer) return res.end(name)
      res.statusCode = 'failed' in answer ? 503 : 200
      return res.end(JSON.stringify(answer))
    })
    origins[name] = service.origin
  }
  return origins
}

const READY = { '/health/ready': { checks: { database: { status: 'ok' } } } }

describe('which service answers', () => {
  test.each([
    ['/v1/uploads', 'ingest-api'],
    ['/v1/uploads?mode=preview', 'ingest-api'],
    ['/v1/uploads/7/rejects', 'ingest-api'],
    ['/v1/events', 'ingest-api'],
    ['/v1/ledger/2026-11', 'ingest-api'],
    ['/v1/leads', 'ingest-api'],
    ['/v1/purchases', 'ingest-api'],
    ['/v1/customers', 'usage-api'],
    ['/v1/customers/a%2Fb/usage', 'usage-api'],
    ['/v1/customers/a%2Fb/invoices?limit=2', 'invoice-api'],
    ['/v1/customers/invoices', 'usage-api'],
    ['/v1/usage', 'usage-api'],
    ['/v1/alerts', 'usage-api'],
    ['/v1/billing-runs/9', 'billing-worker'],
    ['/v1/billable-files/9/content', 'billing-worker'],
    ['/v1/invoices/9/explain', 'invoice-api'],
    ['/v1/prices/quote', 'invoice-api'],
    ['/v1/plans/x/versions', 'invoice-api'],
    ['/v1/reports/leads', 'invoice-api'],
    ['/v1/organization', 'invoice-api'],
  ])('%s: %s', async (path, name) => {
    const { port } = await bench.gateway(await bench.nobody(), { origins: await fourServices() })
    expect(await textOf(await get(port, path))).toBe(name)
  })

  test('every forwarded path is under /v1', () => {
    expect(FORWARDED.filter(([path]) => !path.startsWith('/v1/'))).toEqual([])
  })

  test.each(['/v1', '/v1/uploadsx', '/v2/uploads', '/nothing', '/v1/toString'])(
    'nobody answers %s: 404 as a problem',
    async (path) => {
      const { port } = await bench.gateway(await bench.nobody(), { origins: await fourServices() })
      const answer = await get(port, path)
      expect(answer.statusCode).toBe(404)
      expect(answer.headers['content-type']).toContain('application/problem+json')
      expect(await jsonOf(answer)).toMatchObject({ code: 'no_such_path', instance: path })
    },
  )
})

describe('health', () => {
  test('ready when every service is', async () => {
    const { port } = await bench.gateway(await bench.nobody(), {
      origins: await fourServices(READY),
    })
    const answer = await get(port, '/health/ready')
    expect(answer.statusCode).toBe(200)
    expect(await jsonOf(answer)).toMatchObject({
      status: 'ready',
      services: { 'usage-api': { status: 'ready', checks: { database: { status: 'ok' } } } },
    })
  })

  test('not ready when a part of one service is missing, and says which', async () => {
    const checks = { database: { status: 'ok' }, bucket: { status: 'failed', message: 'gone' } }
    const { port } = await bench.gateway(await bench.nobody(), {
      origins: await fourServices({
        ...READY,
        'billing-worker /health/ready': { failed: true, checks },
      }),
    })
    const answer = await get(port, '/health/ready')
    expect(answer.statusCode).toBe(503)
    const { services } = await jsonOf(answer)
    expect(services).toMatchObject({
      'ingest-api': { status: 'ready' },
      'billing-worker': { status: 'not_ready', checks },
    })
  })

  test('not ready when a service does not answer; live all the same', async () => {
    const { port } = await bench.gateway(await bench.nobody(), {
      origins: { ...(await fourServices(READY)), 'invoice-api': await bench.nobody() },
    })
    const answer = await get(port, '/health/ready')
    expect(answer.statusCode).toBe(503)
    expect(await jsonOf(answer)).toMatchObject({
      services: {
        'invoice-api': {
          status: 'unreachable',
          message: expect.stringContaining('ECONNREFUSED') as string,
        },
      },
    })
    expect((await get(port, '/health/live')).statusCode).toBe(200)
  })
})

describe('what the gateway says itself', () => {
  const schema = (type: string) => ({ components: { schemas: { Thing: { type } } } })
  const answersThing = (path: string) => ({
    paths: { [path]: { get: { schema: { $ref: '#/components/schemas/Thing' } } } },
  })

  test('one document of all services', async () => {
    const { port } = await bench.gateway(await bench.nobody(), {
      origins: await fourServices({
        'ingest-api /openapi.json': { ...answersThing('/v1/uploads'), ...schema('string') },
        'usage-api /openapi.json': { ...answersThing('/v1/usage'), ...schema('string') },
        'billing-worker /openapi.json': { paths: {} },
        'invoice-api /openapi.json': { ...answersThing('/v1/invoices'), ...schema('object') },
      }),
    })
    const document = await jsonOf(await get(port, '/openapi.json'))
    expect(document).toMatchObject({
      openapi: '3.1.0',
      components: { schemas: { Thing: { type: 'string' }, InvoiceApiThing: { type: 'object' } } },
      paths: {
        '/v1/uploads': { get: { schema: { $ref: '#/components/schemas/Thing' } } },
        '/v1/usage': { get: { schema: { $ref: '#/components/schemas/Thing' } } },
        '/v1/invoices': { get: { schema: { $ref: '#/components/schemas/InvoiceApiThing' } } },
      },
    })
  })

  test('a schema whose content is the same but refers to another one of that name is kept apart', () => {
    const service = (type: string) => ({
      paths: {},
      components: {
        schemas: { List: { items: { $ref: '#/components/schemas/Row' } }, Row: { type } },
      },
    })
    expect(
      mergeDocuments([
        ['usage-api', service('string')],
        ['invoice-api', service('object')],
      ]),
    ).toMatchObject({
      components: {
        schemas: {
          List: { items: { $ref: '#/components/schemas/Row' } },
          InvoiceApiList: { items: { $ref: '#/components/schemas/InvoiceApiRow' } },
        },
      },
    })
  })

  test('no document while a service is missing', async () => {
    const { port } = await bench.gateway(await bench.nobody(), {
      origins: {
        ...(await fourServices({ '/openapi.json': { paths: {} } })),
        'usage-api': await bench.nobody(),
      },
    })
    const answer = await get(port, '/openapi.json')
    expect(answer.statusCode).toBe(503)
    expect(await jsonOf(answer)).toMatchObject({ code: 'service_unavailable' })
  })

  test('a page that names each service and its state, and runs no script', async () => {
    const { port } = await bench.gateway(await bench.nobody(), {
      origins: { ...(await fourServices(READY)), 'invoice-api': await bench.nobody() },
    })
    const answer = await get(port, '/', { host: '"><script>alert(1)</script>' })
    const page = await textOf(answer)
    expect(answer.headers['content-type']).toContain('text/html')
    expect(answer.headers['content-security-policy']).toContain("script-src 'self'")
    for (const name of SERVICES) expect(page).toContain(name)
    expect(page).toMatch(/invoice-api.*does not answer: .*ECONNREFUSED/)
    expect(page).toContain('href="/openapi.json"')
    expect(page).toContain('href="/health/ready"')
    expect(page).not.toContain('<script')
  })

  test('metrics name the declared path, not the id within it', async () => {
    const { port } = await bench.gateway(await bench.nobody(), { origins: await fourServices() })
    await textOf(await get(port, '/v1/uploads/0f8fad5b'))
    const metrics = await textOf(await get(port, '/metrics'))
    expect(metrics).toContain('route="/v1/uploads{/*rest}"')
    expect(metrics).not.toContain('0f8fad5b')
  })
})
