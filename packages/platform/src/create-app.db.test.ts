import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type Server } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { useTestDatabase } from '@billtrail/embedded/testing'
import { DomainError } from '@billtrail/domain'
import { z } from 'zod'
import { hashKey } from './authenticate'
import { createApp } from './create-app'
import { createHttpServer } from './create-http-server'
import { createLogger } from './logger'
import { route } from './route'

const database = useTestDatabase()
const shown = { summary: '', tag: '', answers: {} }
const Id = z.object({ id: z.string() })
const noted: string[] = []
const routes = [
  route({
    ...shown,
    method: 'post',
    path: '/v1/notes/:id',
    params: Id,
    body: z.strictObject({ text: z.string() }),
    handler: ({ params, body, caller, res }) => {
      noted.push(params.id)
      res.status(201).json({ ...params, ...body, organization: caller.organizationId })
    },
  }),
  route({
    ...shown,
    method: 'get',
    path: '/v1/notes/:id',
    params: Id,
    handler: ({ params, caller, res }) =>
      void res.json({ ...params, organization: caller.organizationId }),
  }),
  route({
    ...shown,
    method: 'delete',
    path: '/v1/notes/:id',
    handler: ({ res }) => void res.status(204).end(),
  }),
  route({
    ...shown,
    method: 'put',
    path: '/v1/notes/:id',
    handler: ({ res }) => void res.status(201).location('/v1/notes/1').json({ put: true }),
  }),
  route({
    ...shown,
    method: 'get',
    path: '/v1/streams/:id',
    handler: ({ res }) => {
      res.type('text/csv').write('a,b\n')
      res.end('1,2\n')
    },
  }),
  route({
    ...shown,
    method: 'post',
    path: '/v1/refusals',
    rawBody: { description: '', contentTypes: ['text/csv'] },
    handler: () => Promise.reject(new DomainError('too_large', 'too_large', 'Too large.')),
  }),
  route({
    ...shown,
    method: 'get',
    path: '/v1/faults/:id',
    handler: () => {
      throw new Error('a fault of ours')
    },
  }),
]

let direct: Server
let plain: Server
const portOf = (server: Server): number => (server.address() as AddressInfo).port

beforeAll(async () => {
  for (const name of ['first', 'second', 'third']) {
    await database.pool().query(
      `with made as (insert into organizations (name, slug) values ($1, $1) returning id)
         insert into api_keys (organization_id, name, role, key_hash) select id, $1, 'admin', $2 from made`,
      [name, hashKey(`key-of-${name}`)],
    )
  }
  const app = createApp({
    service: 'test',
    logger: createLogger({ service: 'test', level: 'silent' }),
    sql: database.pool(),
    checks: {},
    routes,
  })
  direct = createHttpServer(app).listen(0, '127.0.0.1')
  plain = createServer(app).listen(0, '127.0.0.1')
  await Promise.all([once(direct, 'listening'), once(plain, 'listening')])
})
afterAll(() => {
  for (const server of [direct, plain]) {
    server.close()
    server.closeAllConnections()
  }
})

interface Sent {
  readonly method?: string
  readonly path?: string
  readonly key?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

async function ask(server: Server, sent: Sent, agent = new Agent()) {
  const { method = 'GET', path = '/v1/notes/1', key = 'key-of-first', headers, body } = sent
  const call = request({
    agent,
    port: portOf(server),
    host: '127.0.0.1',
    method,
    path,
    headers: { authorization: `Bearer ${key}`, 'x-request-id': 'the-request', ...headers },
  })
  call.end(body)
  const [answer] = (await once(call, 'response')) as [IncomingMessage]
  return { status: answer.statusCode, headers: answer.rawHeaders, text: await text(answer) }
}

/** The values of a header, as often as it was sent. */
const valuesOf = (headers: readonly string[], name: string): string[] =>
  headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name)

const json = { 'content-type': 'application/json' }
const note = (words: string): Sent => ({
  method: 'POST',
  headers: json,
  body: JSON.stringify({ text: words }),
})

test.each<[string, Sent, number]>([
  ['an answer', {}, 200],
  ['only the head of one', { method: 'HEAD' }, 200],
  ['an answer to a body', note('é'), 201],
  ['an answer with a place', { method: 'PUT' }, 201],
  ['an answer without a body', { method: 'DELETE' }, 204],
  ['a stream', { path: '/v1/streams/1' }, 200],
  ['a fault', { path: '/v1/faults/1' }, 500],
  ['a refused body', { method: 'POST', path: '/v1/refusals', body: 'a,b' }, 413],
  ['a body that is not JSON', { ...note(''), body: '{' }, 400],
  ['a body of the wrong shape', { ...note(''), body: '{}' }, 422],
  ['a key that is not known', { key: 'nobody' }, 401],
  ['a path that is not there', { path: '/v1/nothing' }, 404],
  ['what needs no key', { path: '/health/live' }, 200],
  [
    'a large body',
    { ...note('x'.repeat(20_000)), headers: { ...json, expect: '100-continue' } },
    201,
  ],
])('%s has the headers that every answer has, once each', async (_name, sent, status) => {
  const answer = await ask(direct, sent)
  expect(answer.status).toBe(status)
  const once = (name: string) => valuesOf(answer.headers, name)
  expect(once('x-request-id')).toEqual(['the-request'])
  expect(once('content-security-policy')).toEqual(["default-src 'none';frame-ancestors 'none'"])
  expect(once('x-content-type-options')).toEqual(['nosniff'])
  expect(once('referrer-policy')).toEqual(['no-referrer'])
  expect(once('strict-transport-security')).toHaveLength(1)
  expect(once('cross-origin-resource-policy')).toEqual(['same-origin'])
  expect(once('date')).toHaveLength(1)

  // Any other server makes the same of it.
  const other = await ask(plain, sent)
  expect(other.status).toBe(status)
  const undated = (headers: string[]) =>
    headers.filter((value, at) => value !== 'Date' && headers[at - 1] !== 'Date')
  const kept = undated(answer.headers).filter((value) => !/^timeout=|^keep-alive$/i.test(value))
  expect(undated(other.headers).filter((value) => !/^timeout=|^keep-alive$/i.test(value))).toEqual(
    kept,
  )
  if (status < 400) expect(other.text).toBe(answer.text)
})

test('a revoked key is refused on a connection that has used it, no later than on any other', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  let connections = 0
  const count = () => connections++
  direct.on('connection', count)
  const now = Date.now()
  const clock = jest.spyOn(Date, 'now').mockReturnValue(now)
  const status = async (): Promise<number | undefined> =>
    (await ask(direct, { key: 'key-of-third' }, agent)).status

  expect(await status()).toBe(200)
  expect(await status()).toBe(200)
  await database
    .pool()
    .query(`update api_keys set revoked_at = now() where key_hash = $1`, [hashKey('key-of-third')])
  clock.mockReturnValue(now + 4_999)
  expect(await status()).toBe(200)
  clock.mockReturnValue(now + 5_000)
  expect(await status()).toBe(401)
  expect(await status()).toBe(401)
  clock.mockRestore()
  direct.off('connection', count)
  expect(connections).toBe(1)
  agent.destroy()
})

test('requests on one connection are each of the organization whose key they carry', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const seen: unknown[] = []
  for (const key of ['first', 'second', 'nobody', 'first', 'second']) {
    const answer = await ask(direct, { key: `key-of-${key}` }, agent)
    seen.push((JSON.parse(answer.text) as { organization?: string }).organization)
  }
  const [first, second] = seen
  expect(new Set([first, second, undefined]).size).toBe(3)
  expect(seen).toEqual([first, second, undefined, first, second])
  agent.destroy()
})

const posted = (id: string, words: string): string => {
  const body = JSON.stringify({ text: words })
  return [
    `POST /v1/notes/${id} HTTP/1.1`,
    'host: x',
    'authorization: Bearer key-of-first',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}

/** Resolves to the texts of so many answers on this socket. */
async function answersOn(socket: ReturnType<typeof connect>, many: number): Promise<string[]> {
  let all = ''
  let texts: string[] = []
  socket.setEncoding('utf8')
  while (texts.length < many) {
    const [piece] = (await once(socket, 'data')) as [string]
    all += piece
    texts = [...all.matchAll(/"text":"([^"]*)"/g)].map(([, words = '']) => words)
  }
  return texts
}

test('requests sent without waiting are read whole, wherever their bytes are cut', async () => {
  const bytes = Buffer.from(posted('a', 'é1') + posted('b', '') + posted('c', '€3'))
  const socket = connect(portOf(direct), '127.0.0.1').setNoDelay()
  await once(socket, 'connect')
  // The first ones come before the key is known on this connection, the others after.
  for (let at = 0; at < bytes.length; at += 17) {
    const answers = answersOn(socket, 3)
    for (const piece of [bytes.subarray(0, at), bytes.subarray(at)]) {
      await new Promise((sent) => socket.write(piece, sent))
    }
    expect(await answers).toEqual(['é1', '', '€3'])
  }
  socket.destroy()
})

test('a client that breaks off in the middle of a small body is counted, and nothing is done for it', async () => {
  const whole = posted('broken', 'never said')
  const socket = connect(portOf(direct), '127.0.0.1')
  const answered = answersOn(socket, 1)
  // The first lets the connection's key be known; of the second half is sent.
  socket.write(posted('first', 'said') + whole.slice(0, -5))
  expect(await answered).toEqual(['said'])
  const ended = async (): Promise<number> => {
    const { text: metrics } = await ask(direct, { path: '/metrics' })
    const line = /_seconds_count\{[^}]*method="POST",route="\/v1\/notes\/:id"[^}]*\} (\d+)/g
    return [...metrics.matchAll(line)].reduce((sum, [, count]) => sum + Number(count), 0)
  }
  const before = await ended()
  socket.destroy()
  while ((await ended()) === before);
  expect(noted).not.toContain('broken')
  expect((await ask(direct, note('still there'))).status).toBe(201)
})
