import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createOrganization, ensureAdminKey, newKey, prepareDatabase } from '@billtrail/db'
import { startPostgres } from '@billtrail/embedded'
import { createLogger, createPool } from '@billtrail/platform'
import { Client } from 'pg'
import { freePort } from './free-port'
import { type IngestProcess, startIngest } from './ingest-process'
import { type ServiceProcess, startService } from './service-process'

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
  stop(): Promise<void>
}

/** A PostgreSQL with the settings of `npm start` (fsync on), for one benchmark run. */
export async function startBenchServer(): Promise<BenchServer> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'billtrail-bench-'))
  const postgres = await startPostgres({ folder, durable: true })
  const admin = new Client({ connectionString: postgres.url })
  await admin.connect()
  let databases = 0
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
    async stop() {
      await admin.end()
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
