import { randomBytes } from 'node:crypto'
import { chown, mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { ConfigError } from '@billtrail/platform'
import { asAccount, choosePostgresAccount, type PostgresAccount } from './postgres-account'
import type { PostgresBinaries } from './postgres-binaries'

const MAJOR_VERSION = '18'

/** The name of the owner of everything in an embedded server, and of its database. */
export const DATABASE_OWNER = 'billtrail'

export interface Cluster {
  /** The folder that PostgreSQL calls its data directory, as a real path. */
  readonly folder: string
  readonly account: PostgresAccount
  readonly password: string
}

export const passwordFileIn = (folder: string): string => path.join(folder, 'password')
const clusterIn = (folder: string): string => path.join(folder, 'cluster')

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function initialize(
  folder: string,
  account: PostgresAccount,
  binaries: PostgresBinaries,
  durable: boolean,
): Promise<void> {
  const unfinished = path.join(folder, 'cluster.new')
  await rm(unfinished, { recursive: true, force: true })
  const password = passwordFileIn(folder)
  await writeFile(password, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 })
  if (account.kind === 'user') {
    await chown(folder, account.uid, account.gid)
    await chown(password, account.uid, account.gid)
  }
  const words = [
    `--pgdata=${unfinished}`,
    `--username=${DATABASE_OWNER}`,
    `--pwfile=${password}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The order of texts is that of their code points, from PostgreSQL's own tables: it is the same on every
    // machine, and an index never depends on a version of the system's library.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--data-checksums',
    ...(durable ? [] : ['--no-sync']),
  ]
  const { command, words: line, identity } = asAccount(account, binaries.initdb, words)
  try {
    await promisify(execFile)(command, line, {
      ...identity,
      cwd: folder,
      env: programEnvironment(),
    })
  } catch (error) {
    const reason = reasonIn((error as { stderr?: string }).stderr ?? '')
    throw new Error(
      `BILLTRAIL_DATA_DIR: PostgreSQL could not make its data folder ${unfinished}: ${reason}.`,
      { cause: error },
    )
  }
  // A start that is killed before this line leaves nothing that looks finished.
  await rename(unfinished, clusterIn(folder))
}

/** Of all that initdb said, why it gave up: its own error, or that of the server it ran. */
export const reasonIn = (said: string): string =>
  /(?:error|FATAL|PANIC): +(.*)/.exec(said)?.[1] ?? said.trim().split('\n').at(-1) ?? ''

/** PostgreSQL gets nothing of our environment but where programs are: PGDATA and its kin would lead it astray. */
export const programEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
})

/**
 * The cluster in a folder, made on the first call: `cluster/`, and beside it its `password` (0600).
 *
 * Throws ConfigError when the folder belongs to another version or cannot be used by any account.
 */
export async function prepareCluster(options: {
  folder: string
  binaries: PostgresBinaries
  durable: boolean
}): Promise<Cluster> {
  await mkdir(options.folder, { recursive: true })
  const folder = await realpath(options.folder)
  const cluster = clusterIn(folder)
  const { postgres } = options.binaries
  const account = await choosePostgresAccount({ folder: path.dirname(folder), cluster, postgres })

  const version = await readIfThere(path.join(cluster, 'PG_VERSION'))
  if (version === undefined) await initialize(folder, account, options.binaries, options.durable)
  else if (version !== MAJOR_VERSION) {
    throw new ConfigError(
      `BILLTRAIL_DATA_DIR: ${cluster} was made by PostgreSQL ${version}, and this is ${MAJOR_VERSION}.`,
    )
  }
  const password = await readIfThere(passwordFileIn(folder))
  if (password === undefined) {
    throw new ConfigError(`BILLTRAIL_DATA_DIR: the file ${passwordFileIn(folder)} is missing.`)
  }
  return { folder: cluster, account, password }
}
