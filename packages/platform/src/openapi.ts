import { z } from 'zod'
import {
  createDocument,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
} from 'zod-openapi'
import type { Route } from './route'

const Problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: 'Stable; branch on this.' }),
    detail: z.string(),
    instance: z.string(),
    request_id: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457' })

const problem = { 'application/problem+json': { schema: Problem } }

function answersOf(route: Route): ZodOpenApiResponsesObject {
  const answers = Object.entries(route.answers).map(([status, answer]) => {
    const json = answer.schema ? { 'application/json': { schema: answer.schema } } : {}
    const others = (answer.contentTypes ?? []).map((type) => [type, { schema: z.string() }])
    const content = { ...json, ...(Object.fromEntries(others) as typeof json) }
    return [status, { description: answer.description, content }] as const
  })
  return {
    ...Object.fromEntries(answers),
    '401': { description: 'No key, or not a known one', content: problem },
    default: { description: 'Refused; `code` says why', content: problem },
  }
}

function requestBodyOf(route: Route) {
  if (route.body)
    return { requestBody: { content: { 'application/json': { schema: route.body } } } }
  if (!route.rawBody) return {}
  const content = Object.fromEntries(
    route.rawBody.contentTypes.map((type) => [type, { schema: z.string() }]),
  )
  return { requestBody: { description: route.rawBody.description, content } }
}

/** The OpenAPI 3.1 document of a service, made of the same schemas that validate its requests. */
export function openApiDocument(service: string, routes: readonly Route[]): object {
  const paths: ZodOpenApiPathsObject = {}
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}')
    const operation = {
      operationId: `${route.method}${path.replaceAll(/[^A-Za-z0-9]+/g, '_')}`,
      summary: route.summary,
      ...(route.description === undefined ? {} : { description: route.description }),
      tags: [route.tag],
      requestParams: {
        ...(route.params instanceof z.ZodObject ? { path: route.params } : {}),
        ...(route.query instanceof z.ZodObject ? { query: route.query } : {}),
      },
      ...requestBodyOf(route),
      responses: answersOf(route),
    }
    paths[path] = { ...paths[path], [route.method]: operation }
  }
  return createDocument({
    openapi: '3.1.0',
    info: { title: `Billtrail ${service}`, version: '1', license: { name: 'Apache-2.0' } },
    security: [{ key: [] }],
    components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
    paths,
  })
}
