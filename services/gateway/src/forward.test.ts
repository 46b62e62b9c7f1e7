import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import {
  answerOf,
  exchange,
  get,
  jsonOf,
  MIB,
  open,
  PIECE,
  sendThenRead,
  textOf,
  writeUntilStalled,
} from './testing/requests'
import { gatewayTestBench } from './testing/start-gateway'

const bench = gatewayTestBench()
afterEach(bench.stop)

type Call = readonly [req: IncomingMessage, res: ServerResponse]

/** A service that leaves its first request to the test. */
async function heldService() {
  let arrived: (call: Call) => void
  const call = new Promise<Call>((resolve) => (arrived = resolve))
  const service = await bench.service((req, res) => arrived([req, res]))
  return { origin: service.origin, call }
}

describe('bodies', () => {
  test('a file arrives as it was sent, and the answer comes back as it was given', async () => {
    const service = await bench.service((req, res) => {
      const hash = createHash('sha256')
      req.on('data', (chunk: Buffer) => hash.update(chunk))
      req.on('end', () => res.writeHead(201, { 'x-made': 'yes' }).end(hash.digest('hex')))
    })
    const { port } = await bench.gateway(service.origin)
    const outgoing = open(port, 'POST', '/v1/uploads')
    const answered = answerOf(outgoing)
    await pipeline(Readable.from(Array.from({ length: 100 }, () => PIECE)), outgoing)

    const expected = createHash('sha256')
    for (let i = 0; i < 100; i++) expected.update(PIECE)
    const answer = await answered
    expect(answer.statusCode).toBe(201)
    expect(answer.headers['x-made']).toBe('yes')
    expect(await textOf(answer)).toBe(expected.digest('hex'))
  })

  test('a service that does not read holds the client back instead of filling our memory', async () => {
    const { origin, call } = await heldService()
    const { port } = await bench.gateway(origin)
    const outgoing = open(port, 'POST', '/v1/uploads')
    expect(await writeUntilStalled(outgoing, 256)).toBeLessThan(64)

    const [req, res] = await call
    req.resume().on('end', () => res.end('all of it'))
    expect(await textOf(await answerOf(outgoing.end()))).toBe('all of it')
  })

  test('a client that does not read holds the service back', async () => {
    const { origin, call } = await heldService()
    const { port } = await bench.gateway(origin)
    const answered = get(port, '/v1/events')
    const [, res] = await call
    const written = await writeUntilStalled(res, 256)
    expect(written).toBeLessThan(64)

    res.end()
    let bytes = 0
    for await (const chunk of await answered) bytes += (chunk as Buffer).length
    expect(bytes).toBe(written * MIB)
  })

  test('the first row of an answer is there before the service has written the last', async () => {
    const { origin, call } = await heldService()
    const { port } = await bench.gateway(origin)
    const answered = get(port, '/v1/events')
    const [, res] = await call
    res.write('first')
    const answer = await answered
    const [first] = (await once(answer, 'data')) as [Buffer]
    expect(first.toString()).toBe('first')
    res.end(', last')
    expect(await textOf(answer)).toBe(', last')
  })

  test('a DELETE with a body of unknown length stays one request', async () => {
    const seen: string[] = []
    const service = await bench.service((req, res) => {
      void textOf(req).then((text) => {
        seen.push(`${req.method ?? ''} ${text}`)
        res.end()
      })
    })
    const { port } = await bench.gateway(service.origin)
    const chunked = { 'transfer-encoding': 'chunked' }
    const outgoing = open(port, 'DELETE', '/v1/plans/1', chunked)
    await textOf(await answerOf(outgoing.end('GET /v1/plans HTTP/1.1\r\n\r\n')))
    expect(seen).toEqual(['DELETE GET /v1/plans HTTP/1.1\r\n\r\n'])
  })
})

describe('headers', () => {
  test('what speaks of one connection ends here, and the service learns who asked', async () => {
    const service = await bench.service((req, res) => {
      res.setHeader('keep-alive', 'timeout=7')
      res.end(JSON.stringify({ url: req.url, ...req.headers }))
    })
    const { port } = await bench.gateway(service.origin)
    const answer = await get(port, '/v1/usage?customer_id=a%2Fb', {
      authorization: 'Bearer k',
      connection: 'x-private, close',
      'x-private': '1',
      te: 'trailers',
      'x-forwarded-for': '192.0.2.1',
      'x-request-id': 'asked-by-a-test',
    })
    const seen = await jsonOf(answer)
    expect(seen).toMatchObject({
      url: '/v1/usage?customer_id=a%2Fb',
      authorization: 'Bearer k',
      host: service.origin.host,
      'x-forwarded-host': `127.0.0.1:${port}`,
      'x-forwarded-for': expect.stringMatching(/^192\.0\.2\.1, .*127\.0\.0\.1$/) as string,
      'x-request-id': 'asked-by-a-test',
    })
    expect(seen).not.toHaveProperty('x-private')
    expect(seen).not.toHaveProperty('te')
    expect(answer.headers['keep-alive']).not.toBe('timeout=7')
  })

  test('what a service says for itself is not said again by the gateway, and the rest is added', async () => {
    const service = await bench.service((req, res) => {
      res.setHeader('x-request-id', req.headers['x-request-id'] ?? '')
      res.setHeader('Content-Security-Policy', "default-src 'none'").end('answer')
    })
    const { port } = await bench.gateway(service.origin)
    const { rawHeaders } = await get(port, '/v1/usage')
    const said = (name: string) =>
      rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toLowerCase() === name)
    expect(said('content-security-policy')).toEqual(["default-src 'none'"])
    expect(said('x-request-id')).toHaveLength(1)
    expect(said('x-frame-options')).toEqual(['SAMEORIGIN'])
    expect(said('date')).toHaveLength(1)
  })

  test('a request without an id gets one, the same for client and service', async () => {
    const service = await bench.service((req, res) => res.end(req.headers['x-request-id']))
    const { port } = await bench.gateway(service.origin)
    const answer = await get(port, '/v1/usage')
    expect(answer.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(await textOf(answer)).toBe(answer.headers['x-request-id'])
  })
})

describe('Expect: 100-continue', () => {
  const asking = { expect: '100-continue', 'content-length': '4' }

  test('the body is asked for when the service asks for it, not before', async () => {
    const order: string[] = []
    const service = await bench.service(
      () => order.push('a request that did not ask'),
      (req, res) => {
        order.push('service asked')
        setImmediate(() => {
          order.push('service asks for the body')
          res.writeContinue()
          void textOf(req).then((text) => res.end(`got ${text}`))
        })
      },
    )
    const { port } = await bench.gateway(service.origin)
    const outgoing = open(port, 'POST', '/v1/uploads', asking)
    outgoing.flushHeaders()
    await once(outgoing, 'continue')
    order.push('client sends')
    const answer = await answerOf(outgoing.end('abcd'))
    expect(await textOf(answer)).toBe('got abcd')
    expect(order).toEqual(['service asked', 'service asks for the body', 'client sends'])
  })

  test('a refusal comes instead of the question, and ends the connection', async () => {
    const service = await bench.service(
      () => undefined,
      (_req, res) => res.writeHead(401).end('no key'),
    )
    const { port } = await bench.gateway(service.origin)
    const text = await exchange(
      port,
      'POST /v1/uploads HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n',
    )
    expect(text).toMatch(/^HTTP\/1\.1 401 /)
    expect(text.toLowerCase()).toContain('\r\nconnection: close\r\n')
    expect(text).not.toContain('100 Continue')
  })

  test('a client that does not wait for the question is not kept waiting', async () => {
    const service = await bench.service(
      () => undefined,
      (req, res) => void textOf(req).then((text) => res.end(`got ${text}`)),
    )
    const { port } = await bench.gateway(service.origin)
    const outgoing = open(port, 'POST', '/v1/uploads', asking)
    expect(await textOf(await answerOf(outgoing.end('abcd')))).toBe('got abcd')
  })
})

describe('early refusals', () => {
  const ways = [
    ['reads on', {}, ''],
    ['reads on, and the client wants to close', {}, '\r\nConnection: close'],
  ] as const

  test.each(ways)(
    'reach a client that first sends its whole body, when the service %s',
    async (_name, headers, asked) => {
      const service = await bench.service((_req, res) =>
        res.writeHead(413, headers).end('too large'),
      )
      const { port } = await bench.gateway(service.origin)
      const head = `POST /v1/uploads HTTP/1.1\r\nHost: x${asked}`
      const text = await sendThenRead(port, head, 32)
      expect(text).toMatch(/^HTTP\/1\.1 413 [^]*too large/)
    },
  )

  test('a service that cuts its connection with the answer can lose it; the client gets one all the same', async () => {
    const service = await bench.service((_req, res) =>
      res.writeHead(413, { connection: 'close' }).end('too large'),
    )
    const { port } = await bench.gateway(service.origin)
    const text = await sendThenRead(port, 'POST /v1/uploads HTTP/1.1\r\nHost: x', 32)
    expect(text).toMatch(/^HTTP\/1\.1 (413|503) /)
  })

  test('the connection serves the next request after the refused body has gone by', async () => {
    const service = await bench.service((req, res) =>
      req.method === 'POST' ? res.writeHead(401).end('no key') : res.end('second'),
    )
    const { port } = await bench.gateway(service.origin)
    const body = 'x'.repeat(3 * MIB)
    const text = await exchange(
      port,
      `POST /v1/uploads HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}` +
        'GET /v1/uploads HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
    )
    expect(text).toMatch(/^HTTP\/1\.1 401 [^]*no key[^]*HTTP\/1\.1 200 [^]*second/)
  })

  test.each([
    ['more than the limit', { bytesMax: 4 * MIB }],
    ['longer than the limit', { msMax: 200 }],
  ])('a client that goes on for %s is cut off', async (_name, restLimits) => {
    const service = await bench.service((_req, res) => res.writeHead(422).end('no'))
    const { port } = await bench.gateway(service.origin, { restLimits })
    const outgoing = open(port, 'POST', '/v1/uploads')
    const closed = once(outgoing, 'close')
    outgoing.write(PIECE)
    expect((await answerOf(outgoing)).statusCode).toBe(422)
    const timer = setInterval(() => outgoing.write(PIECE), 10)
    await closed
    clearInterval(timer)
    expect(outgoing.socket?.destroyed).toBe(true)
  })

  test('an unknown path is refused in the same way', async () => {
    const { port } = await bench.gateway(await bench.nobody())
    const text = await sendThenRead(port, 'POST /v1/nothing HTTP/1.1\r\nHost: x', 16)
    expect(text).toMatch(/^HTTP\/1\.1 404 /)
  })
})

describe('a side that goes away', () => {
  test('a service that is not there: 503, and when to try again', async () => {
    const { port } = await bench.gateway(await bench.nobody())
    const answer = await get(port, '/v1/customers')
    expect(answer.statusCode).toBe(503)
    expect(answer.headers['content-type']).toContain('application/problem+json')
    expect(answer.headers['retry-after']).toBe('2')
    expect(await jsonOf(answer)).toMatchObject({ status: 503, code: 'service_unavailable' })
  })

  test('a service that is not there answers a large upload with 503, too', async () => {
    const { port } = await bench.gateway(await bench.nobody())
    const head = 'POST /v1/uploads HTTP/1.1\r\nHost: x\r\nConnection: close'
    expect(await sendThenRead(port, head, 32)).toMatch(/^HTTP\/1\.1 503 /)
  })

  test('a service that dies within the upload: 503', async () => {
    const { origin, call } = await heldService()
    const { port } = await bench.gateway(origin)
    const outgoing = open(port, 'POST', '/v1/uploads')
    outgoing.write(PIECE)
    const answered = answerOf(outgoing)
    const [req] = await call
    req.socket.resetAndDestroy()
    const answer = await answered
    expect(answer.statusCode).toBe(503)
    expect(await jsonOf(answer)).toMatchObject({ code: 'service_unavailable' })
  })

  test('a service that dies within its answer: the client sees that it is not whole', async () => {
    const { origin, call } = await heldService()
    const { port } = await bench.gateway(origin)
    const answered = get(port, '/v1/events')
    const [, res] = await call
    res.write('half')
    const answer = await answered
    await once(answer, 'readable')
    res.socket?.resetAndDestroy()
    await expect(textOf(answer)).rejects.toThrow('aborted')
  })

  test('a client that breaks off its upload ends the request at the service', async () => {
    const { origin, call } = await heldService()
    const { port } = await bench.gateway(origin)
    const outgoing = open(port, 'POST', '/v1/uploads')
    outgoing.write(PIECE)
    const [req] = await call
    const failure = new Promise<Error>((resolve) => req.on('error', resolve))
    req.resume()
    outgoing.destroy()
    expect((await failure).message).toBe('aborted')
    expect(req.complete).toBe(false)
  })

  test('a client that does not wait for the answer ends the request at the service', async () => {
    const { origin, call } = await heldService()
    const { port } = await bench.gateway(origin)
    const outgoing = open(port, 'GET', '/v1/usage').end()
    const [, res] = await call
    const closed = once(res, 'close')
    outgoing.destroy()
    await closed
    expect(res.writableFinished).toBe(false)
  })

  test('after a service has come back, the next request reaches it', async () => {
    const first = createServer((_req, res) => res.end('before')).listen(0, '127.0.0.1')
    await once(first, 'listening')
    const address = first.address()
    const own = typeof address === 'object' && address !== null ? address.port : 0
    const { port } = await bench.gateway(new URL(`http://127.0.0.1:${own}`))
    expect(await textOf(await get(port, '/v1/usage'))).toBe('before')
    first.closeAllConnections()
    first.close()
    await once(first, 'close')
    expect((await get(port, '/v1/usage')).statusCode).toBe(503)

    const second = createServer((_req, res) => res.end('after')).listen(own, '127.0.0.1')
    await once(second, 'listening')
    expect(await textOf(await get(port, '/v1/usage'))).toBe('after')
    second.closeAllConnections()
    second.close()
  })

  test('connections to a service are used again', async () => {
    const sockets = new Set<unknown>()
    const service = await bench.service((req, res) => {
      sockets.add(req.socket)
      res.end()
    })
    const { port } = await bench.gateway(service.origin)
    for (let i = 0; i < 5; i++) await textOf(await get(port, '/v1/usage'))
    expect(sockets.size).toBe(1)
  })

  test('a client that says nothing but half a head holds nothing up', async () => {
    const service = await bench.service((_req, res) => res.end('served'))
    const { port } = await bench.gateway(service.origin)
    const silent = connect(port, '127.0.0.1')
    await once(silent, 'connect')
    silent.write('GET /v1/us')
    expect(await textOf(await get(port, '/v1/usage'))).toBe('served')
    silent.destroy()
  })
})
