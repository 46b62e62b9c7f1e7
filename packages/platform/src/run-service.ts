import type { RequestListener, Server } from 'node:http'
import { ConfigError } from './config'
import { createHttpServer } from './create-http-server'
import { listenFailure } from './listen-failure'
import type { Logger } from './logger'

export interface RunningService {
  readonly app: RequestListener
  readonly logger: Logger
  readonly host: string
  readonly port: number
  /** The variable that sets the port, for the message when it is taken. */
  readonly portSetting: string
  readonly supervised: boolean
  /** Closes what the service opened, after the last request. */
  readonly close: () => Promise<void>
}

const STOP_MS = 15_000

function listen(server: Server, service: RunningService): Promise<void> {
  const { portSetting: setting, port, host } = service
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenFailure({ setting, port, host }, error)))
    server.listen(port, host, resolve)
  })
}

/** `supervisor` is aborted when the channel to it has closed. */
function stopOn(server: Server, service: RunningService, supervisor: AbortSignal): void {
  let stopping = false
  const stop = (reason: string) => {
    if (stopping) process.exit(1)
    stopping = true
    service.logger.info({ reason }, 'stopping')
    // Requests that run are finished; what is still open after that is cut.
    setTimeout(() => process.exit(1), STOP_MS).unref()
    server.close(() => {
      service.close().then(
        () => process.exit(0),
        (error: unknown) => {
          service.logger.error({ err: error }, 'could not close cleanly')
          process.exit(1)
        },
      )
    })
    server.closeIdleConnections()
  }
  process.on('SIGTERM', () => stop('SIGTERM'))
  process.on('SIGINT', () => stop('SIGINT'))
  if (!service.supervised) return
  const leave = () => stop('the supervisor is gone')
  if (supervisor.aborted) leave()
  else supervisor.addEventListener('abort', leave, { once: true })
}

/** The life of a service process: build, listen, stop cleanly. A setting at fault ends it with one sentence. */
export async function runService(
  build: () => Promise<RunningService> | RunningService,
): Promise<void> {
  // It may go while we are still starting.
  const supervisor = new AbortController()
  process.once('disconnect', () => supervisor.abort())
  try {
    const service = await build()
    process.on('uncaughtException', (error) => {
      service.logger.fatal({ err: error }, 'uncaught')
      process.exit(1)
    })
    const server = createHttpServer(service.app)
    await listen(server, service)
    stopOn(server, service, supervisor.signal)
    service.logger.info({ host: service.host, port: service.port }, 'listening')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
}
