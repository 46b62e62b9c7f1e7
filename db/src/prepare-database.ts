import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { Client } from 'pg'
import type { UmzugStorage } from 'umzug'

const MIGRATIONS = path.join(__dirname, '..', 'migrations')

/** Any fixed number will do; it names the lock under which one process at a time migrates. */
const MIGRATION_LOCK = 7_245_611_390

function storageIn(client: Client): UmzugStorage {
  return {
    async logMigration({ name }) {
      await client.query('insert into migrations (name) values ($1)', [name])
    },
    async unlogMigration({ name }) {
      await client.query('delete from migrations where name = $1', [name])
    },
    async executed() {
      const { rows } = await client.query<{ name: string }>(
        'select name from migrations order by name',
      )
      return rows.map((row) => row.name)
    },
  }
}

/** One migration, its statements and its entry in the table as one transaction. */
async function run(client: Client, file: string): Promise<void> {
  const sql = await readFile(path.join(MIGRATIONS, file), 'utf8')
  await client.query(`set local lock_timeout = '5s';\n${sql}`)
}

async function migrator(client: Client) {
  // Every service loads this file and runs no migration: 4 MB, most of it of a command line that nobody uses.
  const { Umzug } = await import('umzug')
  const files = (await readdir(MIGRATIONS)).filter((file) => file.endsWith('.up.sql')).sort()
  return new Umzug({
    migrations: files.map((file) => {
      const name = file.replace(/\.up\.sql$/, '')
      return {
        name,
        up: () => run(client, file),
        down: () => run(client, `${name}.down.sql`),
      }
    }),
    storage: storageIn(client),
    logger: undefined,
  })
}

async function withLock<T>(url: string, job: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await client.query(
      'create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())',
    )
    await client.query('begin')
    const result = await job(client)
    await client.query('commit')
    return result
  } finally {
    await client.end()
  }
}

/**
 * Brings a database to the newest schema and returns the names of the migrations it ran. All of them or
 * none; two that start together run one after the other, and the second finds nothing to do.
 */
export async function prepareDatabase(url: string): Promise<string[]> {
  return withLock(url, async (client) => {
    const ran = await (await migrator(client)).up()
    return ran.map((migration) => migration.name)
  })
}

/** Takes every migration back, newest first. For tests of the down files and for a developer's own database. */
export async function emptyDatabase(url: string): Promise<string[]> {
  return withLock(url, async (client) => {
    const ran = await (await migrator(client)).down({ to: 0 })
    return ran.map((migration) => migration.name)
  })
}
