import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createApp } from './create-app'
import { createHttpServer } from './create-http-server'
import { createLogger } from './logger'

test('no answer of a service can be taken for a page, nor shown in one', async () => {
  const app = createApp({
    service: 'test',
    logger: createLogger({ service: 'test', level: 'silent' }),
    sql: { query: () => Promise.reject(new Error('nobody asks')) },
    checks: {},
    routes: [],
  })
  const server = createHttpServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (const path of ['/health/live', '/openapi.json', '/v1/things', '/nothing']) {
    const { headers } = await fetch(`http://127.0.0.1:${port}${path}`)
    expect(headers.get('content-security-policy')).toBe("default-src 'none';frame-ancestors 'none'")
    expect(headers.get('x-content-type-options')).toBe('nosniff')
    expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
    expect(headers.get('x-powered-by')).toBeNull()
  }
  server.close()
})
