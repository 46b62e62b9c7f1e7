import { Router } from 'express'
import { serviceStates } from './service-states'
import type { ServiceOrigins } from './services'

/** `/health/live`: the gateway answers. `/health/ready`: so does every service, and if not, which part of which is missing. */
export function gatewayHealthRoutes(origins: ServiceOrigins): Router {
  const router = Router()
  router.get('/health/live', (_req, res) => {
    res.json({ status: 'live' })
  })
  router.get('/health/ready', async (_req, res) => {
    const services = await serviceStates(origins)
    const ready = Object.values(services).every(({ status }) => status === 'ready')
    res.status(ready ? 200 : 503).json({ status: ready ? 'ready' : 'not_ready', services })
  })
  return router
}
