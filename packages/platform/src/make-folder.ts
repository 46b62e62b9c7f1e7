import { mkdir, stat } from 'node:fs/promises'
import path from 'node:path'

const isFolder = (name: string): Promise<boolean> =>
  stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  )

/**
 * Makes a folder and the ones above it; one that is there already is fine. Rejects with the system's error.
 *
 * Not by mkdir's own `recursive`: that tries again for ever where a file system takes no folders (/proc).
 */
export async function makeFolder(name: string): Promise<void> {
  const folder = path.resolve(name)
  if (await isFolder(folder)) return
  const above = path.dirname(folder)
  if (above !== folder) await makeFolder(above)
  try {
    await mkdir(folder)
  } catch (error) {
    // Another start may have been quicker.
    if (!(await isFolder(folder))) throw error
  }
}
