import { chmod, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { makeFolder } from '@billtrail/platform'
import { newKey } from './organizations'

const fileIn = (folder: string): string => path.join(folder, 'admin-key')

/**
 * The admin key of a data folder: the one that is set, else the one kept there, else a new one. It is kept in
 * `admin-key`, readable by its owner only, so that `$(cat .data/admin-key)` always works.
 */
export async function keepAdminKey(options: {
  folder: string
  key: string | undefined
}): Promise<{ key: string; file: string; made: boolean }> {
  const file = fileIn(options.folder)
  await makeFolder(options.folder)
  const kept = await readFile(file, 'utf8').then(
    (text) => text.trim(),
    (error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return ''
      throw error
    },
  )
  const key = options.key ?? (kept === '' ? newKey() : kept)
  if (key !== kept) await writeFile(file, `${key}\n`, { mode: 0o600 })
  await chmod(file, 0o600)
  return { key, file, made: options.key === undefined && kept === '' }
}
