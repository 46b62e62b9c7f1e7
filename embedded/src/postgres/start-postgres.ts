import { spawn, type ChildProcess } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { freePort } from '../processes/free-port'
import { guard } from '../processes/guard'
import { asAccount } from './postgres-account'
import { postgresBinaries, type PostgresBinaries } from './postgres-binaries'
import { type Cluster, DATABASE_OWNER, prepareCluster, programEnvironment } from './prepare-cluster'
import { DURABLE_SETTINGS, THROWAWAY_SETTINGS } from './server-settings'
import { stopOrphanedPostgres } from './stop-orphan'

export interface PostgresOptions {
  /** Holds `cluster/`, `password` and `port`; made when it is not there. Its parent exists. */
  readonly folder: string
  /** false: for tests. Faster, and loses data with the power. */
  readonly durable: boolean
  /** Exactly this port; without, the one of the last time or any free one. */
  readonly port?: number
  /** Deleted when this process ends without a stop. */
  readonly removeWhenOrphaned?: string
  /** Each line that the server logs. */
  readonly onLog?: (line: string) => void
}

export interface RunningPostgres {
  readonly pid: number
  readonly port: number
  /** For the owner of everything and the database that is there from the start. */
  readonly url: string
  /** Resolves with what happened, once the process has ended. */
  readonly exited: Promise<string>
  /** Rolls back what runs and ends in good order. */
  stop(): Promise<void>
  /** Ends at once; the next start recovers from the log. */
  stopNow(): Promise<void>
}

/** Recovery after a crash replays up to max_wal_size, which a slow disk does within this. */
const READY_MS = 300_000
const PORT_TRIES = 3

export const portFileIn = (folder: string): string => path.join(folder, 'port')

/** The address of a database on an embedded server. */
export function embeddedDatabaseUrl(options: {
  password: string
  port: number
  database?: string
}): string {
  const { password, port, database = 'postgres' } = options
  return `postgresql://${DATABASE_OWNER}:${encodeURIComponent(password)}@127.0.0.1:${port}/${database}`
}

/** The port this folder's server had the last time, so that a saved psql address stays good. */
async function rememberedPort(folder: string): Promise<number> {
  const text = await readFile(portFileIn(folder), 'utf8').catch(() => '')
  const port = Number.parseInt(text, 10)
  return port > 0 && port < 65_536 ? port : 0
}

function spawnServer(
  binaries: PostgresBinaries,
  cluster: Cluster,
  port: number,
  durable: boolean,
): ChildProcess {
  const settings = { ...(durable ? DURABLE_SETTINGS : THROWAWAY_SETTINGS), port: String(port) }
  const words = ['-D', cluster.folder]
  for (const [name, value] of Object.entries(settings)) words.push('-c', `${name}=${value}`)
  const line = asAccount(cluster.account, binaries.postgres, words)
  return spawn(line.command, line.words, {
    ...line.identity,
    cwd: '/',
    env: programEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
    // A process group of its own: Ctrl-C in the terminal is for us, and we stop it last.
    detached: true,
  })
}

interface Launch {
  readonly child: ChildProcess
  readonly exited: Promise<string>
  /** undefined: it accepts connections. Otherwise why it never did. */
  readonly refusal: Promise<string | undefined>
}

function watch(child: ChildProcess, onLog: (line: string) => void): Launch {
  let lastFatal = ''
  let ready: () => void
  const isReady = new Promise<undefined>((resolve) => (ready = () => resolve(undefined)))
  createInterface({ input: child.stderr! }).on('line', (line) => {
    if (line.includes('FATAL:')) lastFatal = line.replace(/^.*FATAL:\s*/, '')
    if (line.includes('database system is ready to accept connections')) ready()
    onLog(line)
  })
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    // `close` comes after the last line of the log has been read.
    child.once('close', (code, signal) => resolve(lastFatal || `ended (${signal ?? code})`))
  })
  return { child, exited, refusal: Promise.race([isReady, exited]) }
}

async function launch(
  options: PostgresOptions,
  cluster: Cluster,
): Promise<Launch & { port: number }> {
  const binaries = postgresBinaries()
  const onLog = options.onLog ?? (() => undefined)
  let preferred = await rememberedPort(options.folder)
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort(preferred))
    const started = watch(spawnServer(binaries, cluster, port, options.durable), onLog)
    const timer = setTimeout(() => started.child.kill('SIGQUIT'), READY_MS)
    const refusal = await started.refusal
    clearTimeout(timer)
    if (refusal === undefined) return { ...started, port }
    const taken = options.port === undefined && /TCP\/IP|address already in use/i.test(refusal)
    if (!taken || attempt === PORT_TRIES) {
      throw new Error(`PostgreSQL did not start on ${cluster.folder}: ${refusal}.`)
    }
    // Somebody took the port between our look and the server's: take another.
    preferred = 0
  }
}

/**
 * Starts the PostgreSQL that npm installed, on the data in a folder; resolves when it accepts connections.
 *
 * It listens on 127.0.0.1 only and ends with this process, even by kill -9. A server that an earlier start left
 * behind on the same data is stopped first. Throws ConfigError where a setting is at fault, else Error.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const { folder, durable } = options
  const cluster = await prepareCluster({ folder, binaries: postgresBinaries(), durable })
  await stopOrphanedPostgres(cluster.folder)
  const { child, exited, port } = await launch(options, cluster)
  await writeFile(portFileIn(folder), `${port}\n`)
  const pid = child.pid!
  const removeFolder = options.removeWhenOrphaned
  const dismiss = guard(
    removeFolder === undefined ? { pid, signal: 'INT' } : { pid, signal: 'QUIT', removeFolder },
  )
  // The number may soon be another's: the guard must not outlive the server.
  void exited.then(dismiss)
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    await exited
  }
  return {
    pid,
    port,
    url: embeddedDatabaseUrl({ password: cluster.password, port }),
    exited,
    stop: () => end('SIGINT'),
    stopNow: () => end('SIGQUIT'),
  }
}
