import { DomainError, type ErrorKind } from '@billtrail/domain'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { contextOf, loggerOf, pathOf } from './request-context'
import { databaseUnavailable, isDatabaseUnavailable } from './sql'

const STATUS: Record<ErrorKind, number> = {
  invalid: 422,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  too_large: 413,
  unsupported: 415,
  busy: 503,
  unavailable: 503,
}

interface Problem {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly errors?: DomainError['errors']
  readonly retryAfterSeconds?: number | undefined
}

/** What Express's own body parser and router throw: an Error with `status` and `type`. */
function parserProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !('status' in error) || typeof error.status !== 'number') {
    return undefined
  }
  if (error.status < 400 || error.status >= 500) return undefined
  const type = 'type' in error && typeof error.type === 'string' ? error.type : ''
  if (error.status === 413) {
    return {
      status: 413,
      code: 'body_too_large',
      detail: 'The body is larger than this call takes.',
    }
  }
  if (type === 'entity.parse.failed') {
    return { status: 400, code: 'malformed_json', detail: `The body is not JSON: ${error.message}` }
  }
  return { status: error.status, code: 'malformed_request', detail: error.message }
}

function problemOf(error: unknown): Problem {
  if (isDatabaseUnavailable(error)) return problemOf(databaseUnavailable(error))
  if (error instanceof DomainError) {
    return {
      status: STATUS[error.kind],
      code: error.code,
      detail: error.message,
      ...(error.errors.length > 0 ? { errors: error.errors } : {}),
      retryAfterSeconds: error.retryAfterSeconds,
    }
  }
  return (
    parserProblem(error) ?? {
      status: 500,
      code: 'internal',
      detail: 'This is our fault. Nothing else is known; the request id finds it in the log.',
    }
  )
}

/** RFC 9457. The only place that turns a failure into an HTTP answer. */
export const problemHandler: ErrorRequestHandler = (error: unknown, req, res, _next) => {
  const problem = problemOf(error)
  const { requestId } = contextOf(req)
  const logger = loggerOf(req)
  if (problem.status === 500) logger.error({ err: error }, 'unexpected error')
  else logger.info({ status: problem.status, code: problem.code }, 'refused')

  if (res.headersSent) {
    // Half an answer is out: breaking the connection is the only honest end.
    res.destroy()
    return
  }
  if (problem.retryAfterSeconds !== undefined) {
    res.setHeader('retry-after', String(problem.retryAfterSeconds))
  }
  if (problem.status === 401) res.setHeader('www-authenticate', 'Bearer realm="billtrail"')
  const body = {
    type: `/problems/${problem.code}`,
    title: problem.code.replaceAll('_', ' '),
    status: problem.status,
    code: problem.code,
    detail: problem.detail,
    instance: pathOf(req.originalUrl),
    request_id: requestId,
    ...(problem.errors ? { errors: problem.errors } : {}),
  }
  res
    .status(problem.status)
    .type('application/problem+json')
    .send(`${JSON.stringify(body)}\n`)
}

export const noSuchRoute: RequestHandler = (req) => {
  throw new DomainError('not_found', 'no_such_path', `There is no ${req.method} ${req.path} here.`)
}
