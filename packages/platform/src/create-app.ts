import { randomUUID } from 'node:crypto'
import express, { type RequestHandler } from 'express'
import { completeHeads, DATA_HEADERS } from './answer-head'
import { answerJsonAtOnce } from './answer-json'
import { authenticate } from './authenticate'
import { healthRoutes, type HealthCheck } from './health'
import type { Logger } from './logger'
import { createMetrics, type Metrics } from './metrics'
import { openApiDocument } from './openapi'
import { noSuchRoute, problemHandler } from './problem'
import { pathOf, setContext } from './request-context'
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

const isQuiet = (path: string): boolean =>
  path === '/health/live' || path === '/health/ready' || path === '/metrics'

/** Every request gets an id, and is counted and has one line in the log when it is over. */
export function frontDoor(logger: Logger, metrics: Metrics): RequestHandler {
  return (req, res, next) => {
    const given = req.headers['x-request-id']
    const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID()
    // Plain values only: a getter made here gives each context a hidden class of its own, which V8 keeps until it marks its
    // whole heap, and by which it keeps the request.
    setContext(req, { requestId, serviceLogger: logger })
    const startedAt = performance.now()
    res.on('close', () => {
      // To the microsecond: each digit of a line costs time to write.
      const ms = Math.round((performance.now() - startedAt) * 1000) / 1000
      metrics.observeRequest(req, res, ms / 1000)
      const path = pathOf(req.originalUrl)
      const { method } = req
      const { statusCode: status, writableFinished: complete } = res
      logger[isQuiet(path) ? 'debug' : 'info'](
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

/** A service's HTTP side: health, metrics, OpenAPI, authentication, its routes, and problems. */
export function createApp(options: AppOptions): DirectApp {
  const app = express()
  const metrics = options.metrics ?? createMetrics(options.service)
  const document = openApiDocument(options.service, options.routes)
  app.disable('x-powered-by')
  app.disable('etag')
  answerJsonAtOnce(app)
  completeHeads(app, DATA_HEADERS)
  const door = frontDoor(options.logger, metrics)
  const inside = [authenticate(options.sql), sayContinue] as const
  app.use(door)
  app.use(healthRoutes(options.checks))
  app.get('/metrics', metrics.serve)
  app.get('/openapi.json', (_req, res) => {
    res.json(document)
  })
  app.use(...inside)
  for (const route of options.routes) app[route.method](route.path, ...route.handlers)
  app.use(noSuchRoute)
  app.use(problemHandler)
  return serveDirectly(app, { before: [door, ...inside], routes: options.routes })
}
