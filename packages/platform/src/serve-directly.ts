import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Express, Request, RequestHandler, Response } from 'express'
import { type Messages, messagesOf } from './direct-messages'
import { noSuchRoute, problemHandler } from './problem'
import { pathOf } from './request-context'
import type { Route } from './route'

interface Segment {
  /** In lower case; undefined where a parameter stands. */
  readonly literal: string | undefined
  readonly name: string
}

interface DirectRoute {
  readonly segments: readonly Segment[]
  readonly handlers: readonly RequestHandler[]
}

interface Match {
  readonly params: Record<string, string>
  readonly handlers: readonly RequestHandler[]
}

/** Segments that are plain text or one whole parameter; other paths are left to Express. */
const PLAIN_PATH = /^(?:\/(?::\w+|[\w.-]+))+$/

const segmentsOf = (path: string): string[] => path.split('/').slice(1)

/** By method. A route that comes after one left to Express, which could match the same, is left to it too. */
function directRoutes(
  before: readonly RequestHandler[],
  routes: readonly Route[],
): Map<string, DirectRoute[]> {
  const direct = new Map<string, DirectRoute[]>()
  const left = new Set<string>()
  for (const { method, path, handlers } of routes) {
    const segments = segmentsOf(path)
    const shape = `${method} ${segments.length}`
    if (left.has(shape)) continue
    if (!PLAIN_PATH.test(path)) {
      left.add(shape)
      continue
    }
    const arrive: RequestHandler = (req, _res, next) => {
      req.route = { path }
      next()
    }
    const sameMethod = direct.get(method.toUpperCase()) ?? []
    direct.set(method.toUpperCase(), sameMethod)
    sameMethod.push({
      segments: segments.map((text) =>
        text.startsWith(':')
          ? { literal: undefined, name: text.slice(1) }
          : { literal: text.toLowerCase(), name: text },
      ),
      handlers: [...before, arrive, ...handlers, noSuchRoute],
    })
  }
  return direct
}

function paramsOf(
  segments: readonly Segment[],
  given: readonly string[],
): Record<string, string> | undefined {
  const params: Record<string, string> = {}
  for (let at = 0; at < segments.length; at++) {
    const { literal, name } = segments[at]!
    const text = given[at]!
    if (literal === undefined) {
      if (text === '') return undefined
      params[name] = text.includes('%') ? decodeURIComponent(text) : text
    } else if (text !== literal && text.toLowerCase() !== literal) return undefined
  }
  return params
}

/** Undefined where Express has to look for itself: an odd address, a slash at its end, a name that cannot be decoded. */
function find(routes: readonly DirectRoute[] | undefined, url: string): Match | undefined {
  if (!routes || !url.startsWith('/') || url.includes('#')) return undefined
  const given = segmentsOf(pathOf(url))
  try {
    for (const { segments, handlers } of routes) {
      if (segments.length !== given.length) continue
      const params = paramsOf(segments, given)
      if (params) return { params, handlers }
    }
  } catch {
    // Express says what is wrong with it.
  }
  return undefined
}

/** What Express makes of a request before the first handler sees it. */
function enter(
  messages: Messages,
  request: IncomingMessage,
  response: ServerResponse,
  params: Match['params'],
): { req: Request; res: Response } {
  if (!(request instanceof messages.IncomingMessage)) {
    Object.setPrototypeOf(request, messages.IncomingMessage.prototype)
    Object.setPrototypeOf(response, messages.ServerResponse.prototype as object)
  }
  const req = request as Request
  const res = response as Response
  req.res = res
  res.req = req
  res.locals = {}
  req.baseUrl = ''
  req.originalUrl = req.url
  req.params = params
  return { req, res }
}

function run(handlers: readonly RequestHandler[], req: Request, res: Response): void {
  let at = 0
  const next = (error?: unknown): void => {
    if (error) problemHandler(error, req, res, next)
    else step()
  }
  const fail = (error: unknown): void => next(error || new Error('Rejected promise'))
  const step = (): void => {
    const handler = handlers[at++]
    try {
      const done = handler?.(req, res, next)
      if (done instanceof Promise) done.catch(fail)
    } catch (error) {
      fail(error)
    }
  }
  req.next = next
  step()
}

/** A service's HTTP side. A server that is made with its messages is faster; any other one will do. */
export interface DirectApp extends RequestListener {
  readonly messages: Messages
}

/**
 * Serves declared routes without the router's walk: the path is found in a table, and `before`, then the route's handlers are
 * called one after the other. Everything else goes to `app`, which has the same handlers and routes.
 */
export function serveDirectly(
  app: Express,
  { before, routes }: { before: readonly RequestHandler[]; routes: readonly Route[] },
): DirectApp {
  const direct = directRoutes(before, routes)
  const messages = messagesOf(app)
  const serve: RequestListener = (request, response) => {
    const match = find(direct.get(request.method ?? ''), request.url ?? '')
    if (!match) {
      void app(request, response)
      return
    }
    const { req, res } = enter(messages, request, response, match.params)
    run(match.handlers, req, res)
  }
  return Object.assign(serve, { messages })
}
