import type { Request, RequestHandler, Response } from 'express'
import { collectDefaultMetrics, Histogram, Registry } from 'prom-client'

export interface Metrics {
  readonly registry: Registry
  /** Counts a request that is over. */
  readonly observeRequest: (req: Request, res: Response, seconds: number) => void
  readonly serve: RequestHandler
}

/** The path as it was declared, so that ids do not become labels. */
function routeLabel(req: Request): string {
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
    observeRequest: (req, res, seconds) => {
      const labels = { method: req.method, route: routeLabel(req), status: res.statusCode }
      duration.observe(labels, seconds)
    },
    serve: async (_req, res) => {
      res.type(registry.contentType).send(await registry.metrics())
    },
  }
}
