import type { Server } from 'node:http'
import type { Express } from 'express'
import { ConfigError } from './config'
import { createHttpServer } from './create-http-server'
import type { Logger } from './logger'

export interface RunningService {
  readonly app: Express
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
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const taken = error.code === 'EADDRINUSE'
      reject(
        taken
          ? new ConfigError(
              `${service.portSetting}=${service.port}: the port is in use; set another one.`,
            )
          : error,
      )
    })
    server.listen(service.port, service.host, resolve)
  })
}

function stopOn(server: Server, service: RunningService): void {
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
  if (service.supervised) process.on('disconnect', () => stop('the supervisor is gone'))
}

/** The life of a service process: build, listen, stop cleanly. A setting at fault ends it with one sentence. */
export async function runService(
  build: () => Promise<RunningService> | RunningService,
): Promise<void> {
  try {
    const service = await build()
    process.on('uncaughtException', (error) => {
      service.logger.fatal({ err: error }, 'uncaught')
      process.exit(1)
    })
    const server = createHttpServer(service.app)
    await listen(server, service)
    stopOn(server, service)
    service.logger.info({ host: service.host, port: service.port }, 'listening')
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(1)
  }
}
