import { randomUUID } from 'node:crypto'
import express, { type Request, type RequestHandler, type Response } from 'express'
import helmet, { type HelmetOptions } from 'helmet'
import { answerJsonAtOnce } from './answer-json'
import { authenticate } from './authenticate'
import { discardRest } from './discard-rest'
import { healthRoutes, type HealthCheck } from './health'
import type { Logger } from './logger'
import { createMetrics, type Metrics } from './metrics'
import { openApiDocument } from './openapi'
import { noSuchRoute, problemHandler } from './problem'
import { setContext } from './request-context'
import type { Route } from './route'
import { type DirectApp, serveDirectly } from './serve-directly'
import type { Sql } from './sql'

export interface AppOptions {
  readonly service: string
  readonly logger: Logger
  /** Where keys are looked up. */
  readonly sql: Sql
  readonly checks: Readonly<Record<string, HealthCheck>>
  readonly routes: readonly Route[]
  readonly metrics?: Metrics
}

const REQUEST_ID = /^[A-Za-z0-9._-]{8,100}$/

/** Every request gets an id, its own logger and one line in the log when it is over. */
export function frontDoor(logger: Logger): RequestHandler {
  return (req, res, next) => {
    const given = req.headers['x-request-id']
    const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
    // Plain values only: a getter made here gives each context a hidden class of its own, which V8 keeps until it marks its
    // whole heap, and by which it keeps the request.
    setContext(req, { requestId, serviceLogger: logger })
    res.setHeader('x-request-id', requestId)
    const startedAt = process.hrtime.bigint()
    res.on('close', () => {
      const ms = Number(process.hrtime.bigint() - startedAt) / 1e6
      const path = req.originalUrl.split('?')[0]
      const quiet = path === '/health/live' || path === '/health/ready' || path === '/metrics'
      const { method } = req
      const { statusCode: status, writableFinished: complete } = res
      logger[quiet ? 'debug' : 'info'](
        { request_id: requestId, method, path, status, ms, complete },
        'request',
      )
    })
    next()
  }
}

/**
 * curl asks before it sends a large body (`Expect: 100-continue`). Saying yes only here, behind the
 * key check, means that a refusal is answered before the body has crossed the network.
 */
const sayContinue: RequestHandler = (req, res, next) => {
  if (req.headers.expect?.toLowerCase() === '100-continue') res.writeContinue()
  next()
}

/** Sets what helmet would, which is asked once: it is the same for every answer. */
function constantHeaders(options: HelmetOptions): RequestHandler {
  const headers: (readonly [string, string])[] = []
  const answer = {
    setHeader: (name: string, value: string) => headers.push([name, value]),
    removeHeader: () => undefined,
  }
  helmet(options)({} as unknown as Request, answer as unknown as Response, () => undefined)
  return (_req, res, next) => {
    for (const [name, value] of headers) res.setHeader(name, value)
    next()
  }
}

/**
 * Headers that keep a browser careful with a page. Nothing here is upgraded to https: by default Billtrail speaks http on
 * loopback, and whoever puts TLS in front does that there.
 */
export const pageHeaders: RequestHandler = constantHeaders({
  contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
})

/** The same for answers that are no pages: each header costs half a microsecond, and most of helmet's are about pages only. */
const dataHeaders: RequestHandler = constantHeaders({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
})

/** A service's HTTP side: health, metrics, OpenAPI, authentication, its routes, and problems. */
export function createApp(options: AppOptions): DirectApp {
  const app = express()
  const metrics = options.metrics ?? createMetrics(options.service)
  const document = openApiDocument(options.service, options.routes)
  app.disable('x-powered-by')
  app.disable('etag')
  answerJsonAtOnce(app)
  const door = [
    frontDoor(options.logger),
    metrics.observeRequests,
    discardRest(),
    dataHeaders,
  ] as const
  const inside = [authenticate(options.sql), sayContinue] as const
  app.use(...door)
  app.use(healthRoutes(options.checks))
  app.get('/metrics', metrics.serve)
  app.get('/openapi.json', (_req, res) => {
    res.json(document)
  })
  app.use(...inside)
  for (const route of options.routes) app[route.method](route.path, ...route.handlers)
  app.use(noSuchRoute)
  app.use(problemHandler)
  return serveDirectly(app, { before: [...door, ...inside], routes: options.routes })
}
