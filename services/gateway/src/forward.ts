import { type Agent, type IncomingMessage, type OutgoingHttpHeaders, request } from 'node:http'
import { pipeline } from 'node:stream'
import { DomainError } from '@billtrail/domain'
import { contextOf, loggerOf } from '@billtrail/platform'
import type { Request, RequestHandler, Response } from 'express'
import { endToEndHeaders } from './end-to-end-headers'
import type { ServiceName } from './services'

/** What a client may leave unsaid while its body or our answer is on the way: a big file can take a service minutes. */
const IDLE_MS = 15 * 60_000
/** A host that is gone without a word. */
const CONNECT_MS = 10_000
const RETRY_AFTER_SECONDS = 2

export interface Target {
  readonly name: ServiceName
  readonly origin: URL
  readonly agent: Agent
}

const hasBody = (req: Request): boolean =>
  req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0

/** Whether the client waits to be asked before it sends its body. */
const waitsToBeAsked = (req: Request): boolean =>
  req.httpVersion === '1.1' && req.headers.expect?.toLowerCase() === '100-continue'

function requestHeaders(req: Request, target: Target): OutgoingHttpHeaders {
  const before = req.headers['x-forwarded-for']
  const address = req.socket.remoteAddress ?? 'unknown'
  const headers = endToEndHeaders(req.headers)
  delete headers['expect']
  return {
    ...headers,
    host: target.origin.host,
    'x-forwarded-host': req.headers.host ?? '',
    'x-forwarded-for': before === undefined ? address : `${String(before)}, ${address}`,
    'x-request-id': contextOf(req).requestId,
    // Said, not left to Node's guess by method: a DELETE may have a body too.
    ...(req.headers['transfer-encoding'] === undefined ? {} : { 'transfer-encoding': 'chunked' }),
    ...(hasBody(req) && waitsToBeAsked(req) ? { expect: '100-continue' } : {}),
  }
}

/** Hands the service's answer on as it comes. */
function passAnswer(answer: IncomingMessage, res: Response, done: (error?: Error | null) => void) {
  for (const [name, value] of Object.entries(endToEndHeaders(answer.headers))) {
    if (value !== undefined) res.setHeader(name, value)
  }
  res.writeHead(answer.statusCode ?? 502, answer.statusMessage)
  // An answer of unknown length is a stream, whose first row may take a while: its head goes out now.
  if (answer.headers['content-length'] === undefined) res.flushHeaders()
  pipeline(answer, res, done)
}

const unavailable = (target: Target): DomainError =>
  new DomainError(
    'unavailable',
    'service_unavailable',
    `${target.name} does not answer. Try again in a moment.`,
    [],
    RETRY_AFTER_SECONDS,
  )

/**
 * Forwards a request to its service and the answer back, both as they come, whatever their size.
 *
 * Nothing is sent twice: the client knows whether its request may be repeated. A client that breaks off ends the
 * request at the service too. A service that cannot be reached is a 503; one that breaks off within its answer
 * breaks the client's connection, the only honest end of half an answer.
 */
export function forwardTo(target: Target): RequestHandler {
  return (req, res, next) => {
    const logger = loggerOf(req)
    req.socket.setTimeout(IDLE_MS)
    const outgoing = request({
      agent: target.agent,
      // http://[::1]:4001 has brackets, an address has none.
      host: target.origin.hostname.replaceAll(/[[\]]/g, ''),
      port: target.origin.port,
      method: req.method,
      path: req.originalUrl,
      headers: requestHeaders(req, target),
    })
    let answered = false
    outgoing.on('socket', (socket) => {
      if (!socket.connecting) return
      const late = setTimeout(
        () => outgoing.destroy(new Error('no connection in time')),
        CONNECT_MS,
      )
      socket.once('connect', () => clearTimeout(late))
      socket.once('close', () => clearTimeout(late))
    })
    outgoing.on('response', (answer) => {
      answered = true
      passAnswer(answer, res, (error) => {
        if (error) logger.info({ upstream: target.name, reason: error.message }, 'answer cut short')
        // Answered before all was sent: the service wants no more of it.
        if (!req.complete) outgoing.destroy()
      })
    })
    outgoing.on('error', (error) => {
      if (answered || res.closed) return
      answered = true
      logger.warn({ upstream: target.name, reason: error.message }, 'service unavailable')
      next(unavailable(target))
    })
    // The client has gone, or has its answer.
    res.on('close', () => {
      if (!res.writableFinished) outgoing.destroy()
    })
    sendBody(req, res, outgoing)
  }
}

function sendBody(req: Request, res: Response, outgoing: ReturnType<typeof request>): void {
  if (!hasBody(req)) {
    outgoing.end()
    return
  }
  // Should the service refuse without asking, Node ends the connection with the answer, as it must.
  if (waitsToBeAsked(req)) {
    outgoing.on('continue', () => {
      if (!res.headersSent) res.writeContinue()
    })
  }
  req.pipe(outgoing)
  // Not before the first piece, which is often here already: then head and body are one packet.
  setImmediate(() => outgoing.flushHeaders())
}
