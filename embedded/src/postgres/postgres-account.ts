import { execFile } from 'node:child_process'
import { stat } from 'node:fs/promises'
import { promisify } from 'node:util'
import { ConfigError } from '@billtrail/platform'

const run = promisify(execFile)

/**
 * As whom PostgreSQL runs, which refuses to be root.
 *
 * `self`: we are an ordinary user, and so is it. `user`: we are root and it is somebody else.
 * `namespace`: we are root, and it believes to be user 1000 while its files belong to root.
 */
export type PostgresAccount =
  | { readonly kind: 'self' }
  | { readonly kind: 'user'; readonly uid: number; readonly gid: number }
  | { readonly kind: 'namespace' }

const NAMESPACE = ['--user', '--map-user=1000', '--map-group=1000'] as const

/** The command line and the user that a program of PostgreSQL is started with. */
export function asAccount(
  account: PostgresAccount,
  program: string,
  words: readonly string[],
): { command: string; words: string[]; identity: { uid?: number; gid?: number } } {
  if (account.kind === 'namespace') {
    return { command: 'unshare', words: [...NAMESPACE, program, ...words], identity: {} }
  }
  const identity = account.kind === 'user' ? { uid: account.uid, gid: account.gid } : {}
  return { command: program, words: [...words], identity }
}

async function works(account: PostgresAccount, postgres: string, folder: string): Promise<boolean> {
  const check = asAccount(account, '/bin/sh', [
    '-c',
    'cd "$0" && exec "$1" --version',
    folder,
    postgres,
  ])
  try {
    await run(check.command, check.words, { ...check.identity, cwd: '/' })
    return true
  } catch {
    return false
  }
}

async function idOf(flag: '-u' | '-g', name: string): Promise<number> {
  return Number((await run('id', [flag, name])).stdout.trim())
}

async function systemUsers(): Promise<PostgresAccount[]> {
  const found: PostgresAccount[] = []
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = await Promise.all([idOf('-u', name), idOf('-g', name)])
      if (uid > 0) found.push({ kind: 'user', uid, gid })
    } catch {
      // This machine does not have that user.
    }
  }
  return found
}

async function ownerOf(folder: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const { uid, gid } = await stat(folder)
    return { uid, gid }
  } catch {
    return undefined
  }
}

/**
 * Finds an account that reaches both the programs and the data. `folder` exists; `cluster` inside it may not yet.
 *
 * Data that is there stays with its owner. New data of root goes to a system user where that one can get at
 * it, else (a clone below /root, say) into a user namespace. Throws ConfigError when neither works.
 */
export async function choosePostgresAccount(options: {
  folder: string
  cluster: string
  postgres: string
}): Promise<PostgresAccount> {
  if (process.getuid?.() !== 0) return { kind: 'self' }
  const { folder, cluster, postgres } = options
  const owner = await ownerOf(cluster)
  const candidates: PostgresAccount[] =
    owner === undefined
      ? [...(await systemUsers()), { kind: 'namespace' }]
      : [owner.uid === 0 ? { kind: 'namespace' } : { kind: 'user', ...owner }]
  for (const account of candidates) {
    if (await works(account, postgres, folder)) return account
  }
  throw new ConfigError(
    `PostgreSQL does not run as root, and no other user reaches ${folder} and ${postgres}: ` +
      'start Billtrail as an ordinary user, or set BILLTRAIL_DATA_DIR and the checkout to places that others may read.',
  )
}
