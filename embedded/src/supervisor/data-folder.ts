import { realpath, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ConfigError, makeFolder } from '@billtrail/platform'

export interface DataFolder {
  readonly root: string
  readonly postgres: string
  readonly s3: string
  readonly logs: string
  readonly adminKey: string
  readonly lock: string
}

/** Where things are in a data folder. */
export const dataFolder = (root: string): DataFolder => ({
  root,
  postgres: path.join(root, 'postgres'),
  s3: path.join(root, 's3'),
  logs: path.join(root, 'logs'),
  adminKey: path.join(root, 'admin-key'),
  lock: path.join(root, 'supervisor.json'),
})

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'EACCES, this user may not write there',
  EROFS: 'EROFS, its file system is read-only',
  ENOSPC: 'ENOSPC, its disk is full',
  EDQUOT: 'EDQUOT, this user has no room left on its disk',
}

/** Why something in the data folder cannot be used: the system's code, in words where it alone says little. */
export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code ?? String(error)
  return REASONS[code] ?? code
}

/** Makes the data folder if need be and proves that it can be written. Throws ConfigError when it cannot. */
export async function openDataFolder(setting: string): Promise<DataFolder> {
  try {
    await makeFolder(setting)
    const folder = dataFolder(await realpath(setting))
    await makeFolder(folder.logs)
    const probe = path.join(folder.root, `.probe-${process.pid}`)
    await writeFile(probe, 'x').finally(() => rm(probe, { force: true }))
    return folder
  } catch (error) {
    throw new ConfigError(
      `BILLTRAIL_DATA_DIR=${setting}: the folder cannot be written (${reasonOf(error)}); choose another one.`,
    )
  }
}
