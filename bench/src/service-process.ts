import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import http from 'node:http'
import path from 'node:path'
import { INGEST_NODE_OPTIONS } from '@billtrail/embedded'
import type { LoadTarget } from './load-connection'

export interface Timed<T> {
  readonly seconds: number
  readonly answer: T
}

export type MeasuredService = 'ingest-api' | 'usage-api'

/** A service as it runs in production: its own process, its own role, over HTTP on kept connections. */
export interface ServiceProcess extends LoadTarget {
  /** Rejects when the answer is not a success. */
  call(
    method: string,
    path: string,
    body?: string | NodeJS.ReadableStream,
    headers?: http.OutgoingHttpHeaders,
  ): Promise<Timed<unknown>>
  /** The most memory the process ever held, in MiB, as the kernel counted it (Linux). */
  peakMemory(): Promise<number>
  stop(): Promise<void>
}

const PORT_VARIABLES: Readonly<Record<MeasuredService, string>> = {
  'ingest-api': 'INGEST_PORT',
  'usage-api': 'USAGE_PORT',
}

const programOf = (service: MeasuredService): string =>
  path.join(__dirname, '..', '..', 'services', service, 'dist', 'main.js')

async function peakMemoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

function send(
  options: http.RequestOptions,
  body: NodeJS.ReadableStream | string | undefined,
): Promise<Timed<unknown>> {
  const startedAt = performance.now()
  return new Promise((resolve, reject) => {
    const request = http.request(options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        const seconds = (performance.now() - startedAt) / 1000
        if ((response.statusCode ?? 500) >= 300) reject(new Error(`${response.statusCode} ${text}`))
        else resolve({ seconds, answer: text === '' ? undefined : (JSON.parse(text) as unknown) })
      })
    })
    request.on('error', reject)
    if (body === undefined || typeof body === 'string') request.end(body)
    else body.pipe(request)
  })
}

async function whenListening(child: ChildProcess, service: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    child.stdout!.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes('listening')) resolve()
    })
    child.once('exit', () => reject(new Error(`${service} did not start`)))
  })
}

/** Those that run or are about to, for an end that nobody has planned. */
const children = new Set<ChildProcess>()

const hasEnded = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (hasEnded(child)) return
  const over = once(child, 'exit')
  child.kill(signal)
  await over
}

/** Ends at once every service that a measurement has left running. */
export async function endServices(): Promise<void> {
  await Promise.all([...children].map((child) => end(child, 'SIGKILL')))
}

/** Starts a built service on a database and waits until it listens. */
export async function startService(
  service: MeasuredService,
  options: { databaseUrl: string; key: string; port: number },
): Promise<ServiceProcess> {
  const child = spawn(process.execPath, [programOf(service)], {
    env: {
      PATH: process.env['PATH'],
      DATABASE_URL: options.databaseUrl,
      [PORT_VARIABLES[service]]: String(options.port),
      LOG_LEVEL: 'info',
      // As npm start does it.
      ...(service === 'ingest-api' ? { NODE_OPTIONS: INGEST_NODE_OPTIONS } : {}),
      BILLTRAIL_SUPERVISED: '1',
    },
    // The channel ends the service when we are killed.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  children.add(child)
  child.once('exit', () => children.delete(child))
  await whenListening(child, service)
  const agent = new http.Agent({ keepAlive: true })
  const base = { host: '127.0.0.1', port: options.port, agent }
  const authorization = `Bearer ${options.key}`
  return {
    port: options.port,
    key: options.key,
    call: (method, target, body, headers) =>
      send(
        {
          ...base,
          method,
          path: target,
          headers: {
            authorization,
            'content-type': 'application/json',
            ...(typeof body === 'string' ? { 'content-length': Buffer.byteLength(body) } : {}),
            ...headers,
          },
        },
        body,
      ),
    peakMemory: () => peakMemoryOf(child.pid!),
    async stop() {
      agent.destroy()
      await end(child, 'SIGTERM')
    },
  }
}
