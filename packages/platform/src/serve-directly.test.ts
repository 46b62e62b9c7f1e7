import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import express, { type RequestHandler } from 'express'
import request from 'supertest'
import { z } from 'zod'
import { answerJsonAtOnce } from './answer-json'
import { createHttpServer } from './create-http-server'
import { jsonBody } from './json-body'
import { createLogger } from './logger'
import { noSuchRoute, problemHandler } from './problem'
import { setContext } from './request-context'
import { route } from './route'
import { serveDirectly } from './serve-directly'

const logger = createLogger({ service: 'test', level: 'silent' })
const letIn: RequestHandler = (req, _res, next) => {
  const caller = { organizationId: 'o', keyId: 'k', role: 'admin' } as const
  setContext(req, { requestId: 'the-request', serviceLogger: logger, caller })
  next()
}

const shown = { summary: '', tag: '', answers: {} }
const Id = z.object({ id: z.string() })
const Body = z.strictObject({ name: z.string(), count: z.number().optional() })
const routes = [
  route({ ...shown, method: 'get', path: '/v1/things', handler: ({ res }) => void res.json([]) }),
  route({
    ...shown,
    method: 'get',
    path: '/v1/things/:id.csv',
    params: Id,
    handler: ({ params, res }) => void res.type('text/csv').send(params.id),
  }),
  route({
    ...shown,
    method: 'get',
    path: '/v1/things/:id',
    params: Id,
    query: z.object({ limit: z.string().optional() }),
    handler: ({ params, query, res }) => void res.json({ ...params, ...query }),
  }),
  route({
    ...shown,
    method: 'post',
    path: '/v1/things/:id/parts',
    params: Id,
    body: Body,
    handler: ({ params, body, req, res }) => {
      const said = { path: req.path, url: req.originalUrl, type: req.get('content-type') }
      res.status(201).json({ ...params, ...body, said })
    },
  }),
  route({
    ...shown,
    method: 'get',
    path: '/v1/faults/:id',
    handler: () => Promise.reject(new Error('a fault of ours')),
  }),
  route({
    ...shown,
    method: 'delete',
    path: '/v1/things/:id',
    handler: ({ res }) => void res.status(204).json({}),
  }),
]

/** As Express serves it by itself. */
function byExpress(): express.Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(letIn)
  for (const one of routes) app[one.method](one.path, ...one.handlers)
  app.use(noSuchRoute)
  app.use(problemHandler)
  return app
}

function directly(): ReturnType<typeof serveDirectly> {
  const app = byExpress()
  answerJsonAtOnce(app)
  return serveDirectly(app, { before: [letIn], routes })
}

interface Sent {
  readonly method?: 'get' | 'post' | 'head' | 'options' | 'delete' | 'put'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

async function ask(app: RequestListener, { method = 'get', path, headers = {}, body }: Sent) {
  const call = request(app)[method](path).set(headers)
  const answer = await (body === undefined ? call : call.send(body))
  const { date, ...others } = answer.headers as Record<string, string>
  return { status: answer.status, headers: others, text: answer.text, dated: date !== undefined }
}

const json = { 'content-type': 'application/json' }
const post = (body: string, headers: Sent['headers'] = json): Sent => ({
  method: 'post',
  path: '/v1/things/7/parts',
  headers,
  body,
})

test.each<[string, Sent, number]>([
  ['a list', { path: '/v1/things' }, 200],
  ['one thing, with a query', { path: '/v1/things/7?limit=3' }, 200],
  ['a name with blanks and signs', { path: '/v1/things/a%20b%2Fc%C3%A9' }, 200],
  ['a name that cannot be decoded', { path: '/v1/things/%E0%A4' }, 400],
  ['capitals in the path', { path: '/V1/Things/Seven' }, 200],
  ['a slash at the end', { path: '/v1/things/7/' }, 200],
  ['a file by its ending', { path: '/v1/things/7.csv' }, 200],
  ['no name at all', { path: '/v1/things//parts', method: 'post' }, 404],
  ['a path that is not there', { path: '/v1/thing' }, 404],
  ['a method that is not there', { path: '/v1/things', method: 'put' }, 404],
  ['only the head', { path: '/v1/things/7', method: 'head' }, 200],
  ['what may be asked', { path: '/v1/things/7', method: 'options' }, 404],
  ['an answer without a body', { path: '/v1/things/7', method: 'delete' }, 204],
  ['what the client has already', { path: '/v1/things', headers: { 'if-none-match': '*' } }, 304],
  ['a fault of ours', { path: '/v1/faults/7' }, 500],
  ['a body', post('{"name":"é","count":1}'), 201],
  [
    'a body with a charset',
    post('{"name":"é"}', { 'content-type': 'application/json; charset=UTF-8' }),
    201,
  ],
  ['a body after a byte order mark', post('\ufeff{"name":"x"}'), 201],
  [
    'a body in another charset',
    post('{"name":"x"}', { 'content-type': 'application/json; charset=latin1' }),
    415,
  ],
  ['a body said to be text', post('{"name":"x"}', { 'content-type': 'text/plain' }), 201],
  [
    'a body said to be a form',
    post('name=x', { 'content-type': 'application/x-www-form-urlencoded' }),
    422,
  ],
  ['half a body', post('{"name":'), 400],
  ['a body of the wrong shape', post('{"name":1,"more":2}'), 422],
  ['a bare number', post('7'), 422],
  ['an empty body', post(''), 422],
  ['a body beyond what is read straight', post(JSON.stringify({ name: 'x'.repeat(20_000) })), 201],
  ['a body that is too large', post(JSON.stringify({ name: 'x'.repeat(1_100_000) })), 413],
])('%s is answered as by Express itself', async (_name, sent, status) => {
  const expected = await ask(byExpress(), sent)
  expect(expected.status).toBe(status)
  expect(await ask(directly(), sent)).toEqual(expected)
})

test('a server made with its messages answers the same, several requests on one connection', async () => {
  const server = createHttpServer(directly()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}/v1/things`
  for (const name of ['a', 'é']) {
    const posted = await fetch(`${url}/7/parts`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ name }),
    })
    expect([posted.status, await posted.json()]).toMatchObject([201, { id: '7', name }])
    expect(await (await fetch(`${url}/${name}/`)).json()).toEqual({ id: name })
  }
  server.close()
  server.closeAllConnections()
})

test('a client that breaks off in the middle of a small body is noticed', async () => {
  const read = jsonBody(1000)
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const told = new Promise<unknown>((resolve) => {
    server.on('request', (req, res) => {
      read(req as express.Request, res as express.Response, resolve)
      socket.destroy()
    })
  })
  const head = 'POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9'
  socket.write(`${head}\r\n\r\n{"a"`)
  expect(await told).toMatchObject({ status: 400, type: 'request.aborted' })
  server.close()
})
