import { readFile } from 'node:fs/promises'
import { ConfigError, readConfig, settings } from '@billtrail/platform'
import { z } from 'zod'
import { DATABASE_OWNER, passwordFileIn } from './postgres/prepare-cluster'
import { embeddedDatabaseUrl, portFileIn } from './postgres/start-postgres'
import { isPortFree } from './processes/free-port'
import { dataFolder } from './supervisor/data-folder'

const Config = z.object({
  DATABASE_URL: settings.DATABASE_URL.optional(),
  BILLTRAIL_DATA_DIR: settings.BILLTRAIL_DATA_DIR,
})

/** The address of the database, for `psql "$(npm run -s db:url)"`. Throws ConfigError when none runs. */
async function databaseUrl(): Promise<string> {
  const config = readConfig(Config, process.env)
  if (config.DATABASE_URL !== undefined) return config.DATABASE_URL
  const { postgres } = dataFolder(config.BILLTRAIL_DATA_DIR)
  const read = (file: string): Promise<string> =>
    readFile(file, 'utf8').then(
      (text) => text.trim(),
      () => '',
    )
  const [port, password] = await Promise.all([
    read(portFileIn(postgres)),
    read(passwordFileIn(postgres)),
  ])
  if (port === '' || password === '' || (await isPortFree(Number(port)))) {
    throw new ConfigError(
      `BILLTRAIL_DATA_DIR=${config.BILLTRAIL_DATA_DIR}: no database runs on this folder; start it with "npm start".`,
    )
  }
  return embeddedDatabaseUrl({ port: Number(port), password, database: DATABASE_OWNER })
}

databaseUrl().then(
  (url) => process.stdout.write(`${url}\n`),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  },
)
