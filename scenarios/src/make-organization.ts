import { text } from 'node:stream/consumers'
import path from 'node:path'
import { spawnFromSource } from '@billtrail/embedded/testing'
import { REPOSITORY } from './start-product'

/** Makes an organization with the command that an operator would use, and returns its admin key. */
export async function makeOrganization(options: {
  databaseUrl: string
  slug: string
}): Promise<string> {
  const child = spawnFromSource(path.join(REPOSITORY, 'db', 'src', 'main.ts'), {
    words: ['organization', options.slug],
    env: { ...process.env, DATABASE_URL: options.databaseUrl, LOG_LEVEL: 'warn' },
  })
  const [said, complaint] = await Promise.all([text(child.stdout!), text(child.stderr!)])
  const key = /shown only now: (\S+)/.exec(said)?.[1]
  if (key === undefined) throw new Error(`There is no organization ${options.slug}: ${complaint}`)
  return key
}
