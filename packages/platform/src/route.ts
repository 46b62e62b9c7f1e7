import { DomainError, type FieldError } from '@billtrail/domain'
import type { Request, RequestHandler, Response } from 'express'
import type { z } from 'zod'
import { jsonBody } from './json-body'
import { contextOf, type Caller } from './request-context'

/** One possible answer of a route, for the OpenAPI document. */
export interface AnswerDoc {
  readonly description: string
  readonly schema?: z.ZodType
  /** Other content types the same answer can have, e.g. `text/csv`. */
  readonly contentTypes?: readonly string[]
}

interface Input<Params, Query, Body> {
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly caller: Caller
  readonly req: Request
  readonly res: Response
}

type Infer<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined

interface RouteDefinition<Params, Query, Body> {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** Express style: `/v1/uploads/:id`. */
  readonly path: string
  readonly summary: string
  readonly description?: string
  readonly tag: string
  readonly params?: Params
  readonly query?: Query
  /** JSON body. A route that reads its body itself leaves this out and names `rawBody`. */
  readonly body?: Body
  readonly bodyBytesMax?: number
  readonly rawBody?: { readonly description: string; readonly contentTypes: readonly string[] }
  readonly answers: Readonly<Record<number, AnswerDoc>>
  readonly handler: (input: Input<Infer<Params>, Infer<Query>, Infer<Body>>) => Promise<void> | void
}

/** A route as data: what it takes and answers is checked, documented and served from this one object. */
export interface Route
  extends Omit<
    RouteDefinition<z.ZodType | undefined, z.ZodType | undefined, z.ZodType | undefined>,
    'handler'
  > {
  readonly handlers: readonly RequestHandler[]
}

const BODY_BYTES_MAX = 1024 * 1024

/** `a.b[2].c`, as the field is written in the body. */
function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`
    return name === '' ? String(part) : `${name}.${String(part)}`
  }, '')
}

/** Validates at the door. Throws one DomainError with every fault. */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  where: string,
): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const errors: FieldError[] = result.error.issues.map((issue) => ({
    field: fieldName(issue.path) || where,
    message: issue.message,
  }))
  const first = errors[0]
  throw new DomainError(
    'invalid',
    'invalid_request',
    errors.length === 1 && first
      ? `${first.field}: ${first.message}.`
      : `${errors.length} fields cannot be used; see errors.`,
    errors,
  )
}

/** Declares a route; the handler gets parsed values with inferred types. */
export function route<
  Params extends z.ZodType | undefined = undefined,
  Query extends z.ZodType | undefined = undefined,
  Body extends z.ZodType | undefined = undefined,
>(definition: RouteDefinition<Params, Query, Body>): Route {
  const { handler, ...documented } = definition
  const handlers: RequestHandler[] = []
  if (definition.body) handlers.push(jsonBody(definition.bodyBytesMax ?? BODY_BYTES_MAX))
  handlers.push((req, res) => {
    const { caller } = contextOf(req)
    if (!caller) throw new Error('A route ran without authentication.')
    const { params, query, body } = definition
    return handler({
      params: (params && parseInput(params, req.params, 'path')) as Infer<Params>,
      query: (query && parseInput(query, req.query, 'query')) as Infer<Query>,
      body: (body && parseInput(body, req.body, 'body')) as Infer<Body>,
      caller,
      req,
      res,
    })
  })
  return { ...documented, handlers }
}
