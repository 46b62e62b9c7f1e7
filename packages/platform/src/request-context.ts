import type { Request } from 'express'
import type { Logger } from './logger'

/** Who is asking, as the key says. Every statement is limited to this organization. */
export interface Caller {
  readonly organizationId: string
  readonly keyId: string
  readonly role: 'admin'
}

export interface RequestContext {
  readonly requestId: string
  /** The service's; `loggerOf` makes one whose lines carry the request's id. */
  readonly serviceLogger: Logger
  caller?: Caller
}

// On the request itself: what is kept beside it costs the garbage collector a look at each.
const CONTEXT = Symbol('context')
type WithContext = Request & { [CONTEXT]?: RequestContext }

export function setContext(req: Request, context: RequestContext): void {
  ;(req as WithContext)[CONTEXT] = context
}

/** Undefined before the front door. */
export const contextIfAny = (req: Request): RequestContext | undefined =>
  (req as WithContext)[CONTEXT]

export function contextOf(req: Request): RequestContext {
  const context = contextIfAny(req)
  if (!context) throw new Error('The request has not passed the front door.')
  return context
}

/** A logger whose lines carry the request's id. Made for who needs it: most requests leave one line, the last. */
export function loggerOf(req: Request): Logger {
  const { serviceLogger, requestId } = contextOf(req)
  return serviceLogger.child({ request_id: requestId })
}

/** An address without its query. */
export function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}
