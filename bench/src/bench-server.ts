import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createOrganization, ensureAdminKey, newKey, prepareDatabase } from '@billtrail/db'
import { type RunningPostgres, startPostgres } from '@billtrail/embedded'
import { createLogger, createPool } from '@billtrail/platform'
import { Client } from 'pg'
import { freePort } from './free-port'
import { type IngestProcess, startIngest } from './ingest-process'
import { endServices, type ServiceProcess, startService } from './service-process'

export interface BenchDatabase {
  readonly url: string
  readonly key: string
}

export interface BenchServer {
  readonly folder: string
  /** Of a fresh, migrated database with one organization. */
  freshDatabase(): Promise<BenchDatabase>
  freshIngest(database: BenchDatabase): Promise<IngestProcess>
  freshUsage(database: BenchDatabase): Promise<ServiceProcess>
  /** Ends the services that still run, then PostgreSQL, and removes the folder. */
  stop(): Promise<void>
}

const servers = new Set<Promise<BenchServer>>()

/** A PostgreSQL with the settings of `npm start` (fsync on), for one benchmark run. */
export function startBenchServer(): Promise<BenchServer> {
  const server = openServer()
  servers.add(server)
  return server
}

/** Stops whatever runs, also what is only about to start. */
export async function stopBenchServers(): Promise<void> {
  await Promise.all(
    [...servers].map((server) => server.then((opened) => opened.stop()).catch(() => undefined)),
  )
}

async function openServer(): Promise<BenchServer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'billtrail-bench-'))
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 })
  try {
    const postgres = await startPostgres({ folder, durable: true, removeWhenOrphaned: folder })
    const admin = new Client({ connectionString: postgres.url })
    // What waits for an answer is told by its own rejection when the server stops.
    admin.on('error', () => undefined)
    await admin.connect()
    return benchServer({ folder, postgres, admin, remove })
  } catch (error) {
    await remove()
    throw error
  }
}

function benchServer(opened: {
  folder: string
  postgres: RunningPostgres
  admin: Client
  remove: () => Promise<void>
}): BenchServer {
  const { folder, postgres, admin, remove } = opened
  let databases = 0
  let stopped: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    await endServices()
    await admin.end()
    await postgres.stop()
    await remove()
  }
  return {
    folder,
    async freshDatabase() {
      const name = `bench_${++databases}`
      await admin.query(`create database ${name}`)
      const url = postgres.url.replace(/\/[^/]*$/, `/${name}`)
      await prepareDatabase(url)
      const pool = createPool({ url, logger: createLogger({ service: 'bench', level: 'silent' }) })
      const key = newKey()
      await ensureAdminKey(pool, {
        organizationId: await createOrganization(pool, { slug: 'Bench' }),
        key,
      })
      await pool.end()
      return { url, key }
    },
    freshIngest: async ({ url, key }) =>
      startIngest({ databaseUrl: url, key, port: await freePort() }),
    freshUsage: async ({ url, key }) =>
      startService('usage-api', { databaseUrl: url, key, port: await freePort() }),
    stop: () => (stopped ??= stop()),
  }
}
