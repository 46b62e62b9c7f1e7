import { setTimeout as wait } from 'node:timers/promises'
import path from 'node:path'
import { ConfigError } from '@billtrail/platform'
import { Client } from 'pg'
import { z } from 'zod'
import { DATABASE_OWNER } from '../postgres/prepare-cluster'
import { startPostgres } from '../postgres/start-postgres'
import { freePort } from '../processes/free-port'
import type { SupervisorConfig } from './config'
import type { DataFolder } from './data-folder'
import type { RunningPart } from './keep-running'
import { startNodeProgram } from './node-program'
import { reachDatabase, reachStorage } from './outside-parts'
import type { PartKeeper } from './part-keeper'

/** The port that the embedded S3 server takes when it can; any other will do. */
const S3_PORT = 4569

const S3Started = z.object({ endpoint: z.string() })

/** A database address with our own database in the place of the server's. */
function ownDatabase(url: string): string {
  const own = new URL(url)
  own.pathname = `/${DATABASE_OWNER}`
  return own.toString()
}

async function ensureOwnDatabase(url: string): Promise<string> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const found = await client.query('select from pg_database where datname = $1', [DATABASE_OWNER])
    if (found.rowCount === 0) await client.query(`create database ${DATABASE_OWNER}`)
  } finally {
    await client.end()
  }
  return ownDatabase(url)
}

/** The database: the one that is set, else our own, kept running. Returns its address. */
export async function startDatabase(
  keeper: PartKeeper,
  config: SupervisorConfig,
  folder: DataFolder,
): Promise<string> {
  if (config.DATABASE_URL !== undefined) {
    await reachDatabase(config.DATABASE_URL)
    return config.DATABASE_URL
  }
  const log = keeper.log('postgres')
  const onLog = (line: string): void => {
    log.write(line)
    if (line.includes('PANIC:'))
      keeper.report('error', 'postgres', line.replace(/^.*PANIC:\s*/, ''))
  }
  // The services know the address from the first start: a later one must take the same port.
  let address: { url: string; port: number } | undefined
  await keeper.keep('postgres', async () => {
    const port = address === undefined ? {} : { port: address.port }
    const running = await startPostgres({ folder: folder.postgres, durable: true, onLog, ...port })
    address = { url: running.url, port: running.port }
    return running
  })
  return ensureOwnDatabase(address!.url)
}

/** The file storage: the one that is set, else our own, kept running. Returns its address. */
export async function startStorage(
  keeper: PartKeeper,
  config: SupervisorConfig,
  options: { folder: DataFolder; program: string; environment: NodeJS.ProcessEnv },
): Promise<string> {
  const bucket = config.BILLABLE_BUCKET
  if (config.S3_ENDPOINT !== undefined) {
    await reachStorage({ endpoint: config.S3_ENDPOINT, region: config.S3_REGION, bucket })
    return config.S3_ENDPOINT
  }
  let endpoint: string | undefined
  const begin = async (port: number): Promise<RunningPart> => {
    const program = keeper.program('s3', options.program, {
      ...options.environment,
      S3_FOLDER: options.folder.s3,
      S3_PORT: String(port),
      BILLABLE_BUCKET: bucket,
    })
    endpoint = S3Started.parse(await program.message).endpoint
    return program
  }
  await keeper.keep('s3', async () => {
    // The services know the address from the first start on.
    if (endpoint !== undefined) return begin(Number(new URL(endpoint).port))
    // Somebody can take the port between our look and the server's.
    return begin(await freePort(S3_PORT)).catch(() => begin(0))
  })
  return endpoint!
}

/**
 * Runs the program that brings the database to the newest schema and makes the first admin key. What it tells a
 * person, the key among it, goes to the terminal and to no file.
 */
export async function prepare(
  keeper: PartKeeper,
  options: {
    program: string
    env: NodeJS.ProcessEnv
    say: (text: string) => void
    stopping: AbortSignal
  },
): Promise<void> {
  options.stopping.throwIfAborted()
  const log = keeper.log('prepare')
  const program = startNodeProgram({
    file: options.program,
    env: options.env,
    onOutput: (line) => (line.startsWith('{') ? log.write(line) : options.say(line)),
    onError: (line) => log.write(line),
  })
  const stop = (): void => void program.stopNow()
  options.stopping.addEventListener('abort', stop, { once: true })
  const code = await program.code
  options.stopping.removeEventListener('abort', stop)
  options.stopping.throwIfAborted()
  if (code !== 0) throw new ConfigError(`${await program.exited}.`)
}

export interface HttpPart {
  readonly name: string
  readonly file: string
  readonly env: NodeJS.ProcessEnv
  readonly url: string
}

const POLL_MS = 100
const READY_MS = 60_000
const STARTS_MAX = 3

async function readiness(url: string): Promise<{ ready: boolean; said: string }> {
  try {
    const answer = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) })
    return { ready: answer.ok, said: (await answer.text()).slice(0, 300) }
  } catch (error) {
    const cause = error instanceof Error ? (error.cause ?? error) : error
    return { ready: false, said: cause instanceof Error ? cause.message : String(cause) }
  }
}

/** Starts a service, keeps it running, and resolves when it is ready. Throws ConfigError when it does not get there. */
export async function startHttpPart(
  keeper: PartKeeper,
  part: HttpPart,
  options: { logs: string; stopping: AbortSignal },
): Promise<void> {
  const exits: string[] = []
  const start = () => Promise.resolve(keeper.program(part.name, part.file, part.env))
  await keeper.keep(part.name, start, (reason) => exits.push(reason))
  const log = path.join(options.logs, `${part.name}.log`)
  const deadline = Date.now() + READY_MS
  for (;;) {
    options.stopping.throwIfAborted()
    const { ready, said } = await readiness(part.url)
    if (ready) return
    if (exits.length >= STARTS_MAX) {
      throw new ConfigError(`${part.name} does not start: ${exits.at(-1)}. More is in ${log}.`)
    }
    if (Date.now() > deadline) {
      throw new ConfigError(
        `${part.name} is not ready after ${READY_MS / 1000} s: ${said}. More is in ${log}.`,
      )
    }
    await wait(POLL_MS)
  }
}
