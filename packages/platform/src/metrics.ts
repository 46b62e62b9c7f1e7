import type { RequestHandler } from 'express'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'

export interface Metrics {
  readonly registry: Registry
  readonly observeRequests: RequestHandler
  readonly serve: RequestHandler
}

/** The path as it was declared, so that ids do not become labels. */
function routeLabel(req: Parameters<RequestHandler>[0]): string {
  const declared: unknown = req.route
  if (typeof declared === 'object' && declared !== null && 'path' in declared) {
    return String(declared.path)
  }
  return 'none'
}

/** Prometheus metrics of one service: the process, and how long each route takes. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry()
  registry.setDefaultLabels({ service })
  collectDefaultMetrics({ register: registry })
  const duration = new Histogram({
    name: 'billtrail_http_request_duration_seconds',
    help: 'Time from the first byte of the request to the last of the answer',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.002, 0.01, 0.05, 0.25, 1, 5, 30, 120],
    registers: [registry],
  })
  return {
    registry,
    observeRequests: (req, res, next) => {
      const startedAt = performance.now()
      res.on('close', () => {
        const labels = { method: req.method, route: routeLabel(req), status: res.statusCode }
        duration.observe(labels, (performance.now() - startedAt) / 1000)
      })
      next()
    },
    serve: async (_req, res) => {
      res.type(registry.contentType).send(await registry.metrics())
    },
  }
}
