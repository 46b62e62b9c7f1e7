import { Agent } from 'node:http'
import {
  completeHeads,
  createMetrics,
  frontDoor,
  type Logger,
  noSuchRoute,
  PAGE_HEADERS,
  problemHandler,
  type RestLimits,
} from '@billtrail/platform'
import express, { type Express } from 'express'
import { forwardTo } from './forward'
import { gatewayHealthRoutes } from './gateway-health.routes'
import { openApiRoutes } from './openapi.routes'
import { FORWARDED, type ServiceOrigins } from './services'
import { welcomePage } from './welcome-page'

export interface GatewayOptions {
  readonly logger: Logger
  readonly origins: ServiceOrigins
  /** How much of a body is read after its request was refused; 64 MiB and 10 s. */
  readonly restLimits?: RestLimits
}

export interface Gateway {
  readonly app: Express
  /** Closes the connections to the services. */
  readonly close: () => Promise<void>
}

/** One address for all services. It holds nothing and asks for no key: the services do. */
export function createGateway({ logger, origins, restLimits }: GatewayOptions): Gateway {
  const agent = new Agent({ keepAlive: true })
  const metrics = createMetrics('gateway')
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  completeHeads(app, PAGE_HEADERS, restLimits)
  app.use(frontDoor(logger, metrics))
  app.get('/', welcomePage(origins))
  app.use(gatewayHealthRoutes(origins), openApiRoutes(origins))
  app.get('/metrics', metrics.serve)
  for (const [path, name] of FORWARDED) {
    app.all(`${path}{/*rest}`, forwardTo({ name, origin: origins[name], agent }))
  }
  app.use(noSuchRoute)
  app.use(problemHandler)
  const close = () => {
    agent.destroy()
    return Promise.resolve()
  }
  return { app, close }
}
