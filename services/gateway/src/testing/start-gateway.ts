import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHttpServer, createLogger, type RestLimits } from '@billtrail/platform'
import { createGateway } from '../create-gateway'
import type { ServiceName, ServiceOrigins } from '../services'

export interface Started {
  readonly server: Server
  readonly port: number
  readonly origin: URL
}

async function listen(server: Server): Promise<Started> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { server, port, origin: new URL(`http://127.0.0.1:${port}`) }
}

/** Gateways and services of one test file, on free ports; `stop` ends them all. */
export function gatewayTestBench() {
  const closers: (() => void)[] = []
  const keep = (started: Started): Started => {
    closers.push(() => {
      started.server.closeAllConnections()
      started.server.close()
    })
    return started
  }
  const service = async (handle: RequestListener, asked?: RequestListener): Promise<Started> => {
    const server = createServer(handle)
    if (asked) server.on('checkContinue', asked)
    return keep(await listen(server))
  }
  /** `others` is the origin of every service that is not named. */
  const gateway = async (
    others: URL,
    options: { origins?: Partial<Record<ServiceName, URL>>; restLimits?: RestLimits } = {},
  ): Promise<Started> => {
    const origins: ServiceOrigins = {
      'ingest-api': others,
      'usage-api': others,
      'billing-worker': others,
      'invoice-api': others,
      ...options.origins,
    }
    const { app, close } = createGateway({
      logger: createLogger({ service: 'gateway', level: 'silent' }),
      origins,
      ...(options.restLimits ? { restLimits: options.restLimits } : {}),
    })
    closers.push(() => void close())
    return keep(await listen(createHttpServer(app)))
  }
  /** An address at which nobody listens. */
  const nobody = async (): Promise<URL> => {
    const { server, origin } = await listen(createServer())
    server.close()
    await once(server, 'close')
    return origin
  }
  const stop = () => {
    for (const close of closers.splice(0)) close()
  }
  return { service, gateway, nobody, stop }
}
