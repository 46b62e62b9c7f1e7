import { readFile, rm } from 'node:fs/promises'
import path from 'node:path'
import { commandLine, hasEndedWithin, isAlive, signal } from '../processes/process-identity'

const FAST_MS = 20_000
const IMMEDIATE_MS = 5_000

/**
 * Stops a server that an earlier, killed start left behind on this data, and returns its process number.
 *
 * `postmaster.pid` says which process it is. After a crash of the machine that number can be anybody's, so the
 * process must also have been started on this very folder; when it was not, the file is stale and is removed,
 * because PostgreSQL would not start while somebody has that number. `cluster` is a real path.
 */
export async function stopOrphanedPostgres(cluster: string): Promise<number | undefined> {
  const file = path.join(cluster, 'postmaster.pid')
  const text = await readFile(file, 'utf8').catch(() => '')
  const pid = Math.abs(Number.parseInt(text, 10))
  if (!Number.isSafeInteger(pid) || pid === 0 || !isAlive(pid)) return undefined

  if (!(await commandLine(pid)).includes(`-D ${cluster} `)) {
    await rm(file, { force: true })
    return undefined
  }
  // INT: roll back what runs and stop in good order. QUIT: stop at once, and recover at the next start.
  signal(pid, 'SIGINT')
  if (await hasEndedWithin(pid, FAST_MS)) return pid
  signal(pid, 'SIGQUIT')
  if (!(await hasEndedWithin(pid, IMMEDIATE_MS))) {
    throw new Error(
      `An earlier PostgreSQL (process ${pid}) still runs on ${cluster} and does not stop.`,
    )
  }
  return pid
}
