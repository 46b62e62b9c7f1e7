import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import path from 'node:path'
import { spawnFromSource } from '@billtrail/embedded/testing'
import { until } from './slow-upload'

export interface IngestProcess {
  address(): string
  /** Starts it and waits until it is ready. */
  start(): Promise<void>
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** The real process of the service, for tests that kill it. */
export function createIngestProcess(databaseUrl: () => string): IngestProcess {
  let child: ChildProcess | undefined
  let address = ''
  return {
    address: () => address,
    async start() {
      const port = await freePort()
      address = `http://127.0.0.1:${port}`
      child = spawnFromSource(path.join(__dirname, '..', 'main.ts'), {
        env: {
          PATH: process.env['PATH'],
          DATABASE_URL: databaseUrl(),
          HOST: '127.0.0.1',
          INGEST_PORT: String(port),
          LOG_LEVEL: 'error',
          BILLTRAIL_SUPERVISED: '1',
        },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
      const started = child
      await until(async () => {
        if (started.exitCode !== null) throw new Error(`It ended with ${started.exitCode}.`)
        const response = await fetch(`${address}/health/ready`).catch(() => undefined)
        return response?.ok || undefined
      })
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}
