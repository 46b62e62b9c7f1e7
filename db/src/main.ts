import {
  ConfigError,
  createLogger,
  createPool,
  inTransaction,
  isDatabaseUnavailable,
  type Pool,
  readConfig,
  settings,
  sqlState,
} from '@billtrail/platform'
import { z } from 'zod'
import { keepAdminKey } from './admin-key-file'
import {
  createOrganization,
  ensureAdminKey,
  ensureFirstOrganization,
  newKey,
} from './organizations'
import { prepareDatabase } from './prepare-database'

const UNIQUE_VIOLATION = '23505'

const Config = z.object({
  DATABASE_URL: settings.DATABASE_URL,
  BILLTRAIL_DATA_DIR: settings.BILLTRAIL_DATA_DIR,
  BILLTRAIL_ADMIN_KEY: settings.BILLTRAIL_ADMIN_KEY,
  BILLTRAIL_ORGANIZATION_SLUG: settings.BILLTRAIL_ORGANIZATION_SLUG,
  LOG_LEVEL: settings.LOG_LEVEL,
})

/** Makes one more organization and returns its admin key. Throws ConfigError for a slug that cannot be used. */
async function addOrganization(pool: Pool, slug: string): Promise<string> {
  if (!settings.BILLTRAIL_ORGANIZATION_SLUG.safeParse(slug || ' ').success) {
    throw new ConfigError(
      `organization "${slug}": a name is up to 63 letters, digits, dots, dashes and underscores.`,
    )
  }
  const key = newKey()
  await inTransaction(pool, async (sql) => {
    const organizationId = await createOrganization(sql, { slug })
    await ensureAdminKey(sql, { organizationId, key })
  }).catch((error: unknown) => {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    throw new ConfigError(`organization "${slug}": there is one with this name already.`)
  })
  return key
}

/** Migrations, the first organization and its admin key; with `organization <slug>`, one more organization. */
async function main(): Promise<void> {
  const config = readConfig(Config, process.env)
  const logger = createLogger({ service: 'prepare', level: config.LOG_LEVEL })
  const ran = await prepareDatabase(config.DATABASE_URL)
  const pool = createPool({ url: config.DATABASE_URL, maxConnections: 1, logger })
  try {
    const [command, slug = ''] = process.argv.slice(2)
    if (command === 'organization') {
      const key = await addOrganization(pool, slug)
      process.stdout.write(`Organization ${slug} is made. Its admin key, shown only now: ${key}\n`)
      return
    }
    const kept = await keepAdminKey({
      folder: config.BILLTRAIL_DATA_DIR,
      key: config.BILLTRAIL_ADMIN_KEY,
    })
    await inTransaction(pool, async (sql) => {
      const organizationId = await ensureFirstOrganization(sql, config.BILLTRAIL_ORGANIZATION_SLUG)
      await ensureAdminKey(sql, { organizationId, key: kept.key })
    })
    logger.info({ migrations: ran }, 'the database is ready')
    if (kept.made) {
      process.stdout.write(`Admin key, shown only now and kept in ${kept.file}: ${kept.key}\n`)
    }
  } finally {
    await pool.end()
  }
}

main().catch((error: unknown) => {
  const reason = error instanceof Error ? error.message : String(error)
  const sentence =
    error instanceof ConfigError
      ? reason
      : isDatabaseUnavailable(error)
        ? `DATABASE_URL: the database does not answer (${reason || 'connection refused'}).`
        : `The database could not be prepared: ${reason}`
  process.stderr.write(`${sentence}\n`)
  process.exitCode = 1
})
