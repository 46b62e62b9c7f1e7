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
  readonly logger: Logger
  caller?: Caller
}

const contexts = new WeakMap<Request, RequestContext>()

export function setContext(req: Request, context: RequestContext): void {
  contexts.set(req, context)
}

export function contextOf(req: Request): RequestContext {
  const context = contexts.get(req)
  if (!context) throw new Error('The request has not passed the front door.')
  return context
}
