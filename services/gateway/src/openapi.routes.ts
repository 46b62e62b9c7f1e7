import { DomainError } from '@billtrail/domain'
import { Router } from 'express'
import { mergeDocuments, ServiceDocument } from './merge-documents'
import { SERVICES, type ServiceName, type ServiceOrigins } from './services'

const ANSWER_MS = 4_000
/** A service may be replaced by a newer one while the gateway runs. */
const KEPT_MS = 60_000

async function documentOf(service: ServiceName, origin: URL) {
  try {
    const answer = await fetch(new URL('/openapi.json', origin), {
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    if (!answer.ok) throw new Error(`answered ${answer.status}`)
    return [service, ServiceDocument.parse(await answer.json())] as const
  } catch {
    throw new DomainError(
      'unavailable',
      'service_unavailable',
      `The document of ${service} cannot be had. Try again in a moment.`,
      [],
      2,
    )
  }
}

/** `/openapi.json`: the documents of all services as one, kept for a minute. 503 while one is missing. */
export function openApiRoutes(origins: ServiceOrigins): Router {
  const router = Router()
  let kept: { readonly document: object; readonly until: number } | undefined
  router.get('/openapi.json', async (_req, res) => {
    if (!kept || performance.now() >= kept.until) {
      const documents = await Promise.all(SERVICES.map((name) => documentOf(name, origins[name])))
      kept = { document: mergeDocuments(documents), until: performance.now() + KEPT_MS }
    }
    res.json(kept.document)
  })
  return router
}
