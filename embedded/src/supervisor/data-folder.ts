import { mkdir, realpath, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { ConfigError } from '@billtrail/platform'

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

/** Makes the data folder if need be and proves that it can be written. Throws ConfigError when it cannot. */
export async function openDataFolder(setting: string): Promise<DataFolder> {
  try {
    await mkdir(setting, { recursive: true })
    const folder = dataFolder(await realpath(setting))
    await mkdir(folder.logs, { recursive: true })
    const probe = path.join(folder.root, `.probe-${process.pid}`)
    await writeFile(probe, 'x')
    await rm(probe)
    return folder
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    throw new ConfigError(
      `BILLTRAIL_DATA_DIR=${setting}: the folder cannot be written (${code}); choose another one.`,
    )
  }
}
