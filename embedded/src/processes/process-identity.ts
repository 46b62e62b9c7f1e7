import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'

const POLL_MS = 20

/** Whether there is a process with this number, ours or not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A signal to a process that may be gone already. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

async function ps(pid: number, column: string): Promise<string> {
  const { stdout } = await promisify(execFile)('ps', ['-ww', '-o', `${column}=`, '-p', String(pid)])
  return stdout.trim()
}

/**
 * What tells one process from a later one that got the same number: when it was started. undefined: it is gone.
 *
 * Linux says it in /proc, counted from the boot, which has an id of its own; elsewhere `ps` does.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (!isAlive(pid)) return undefined
  try {
    if (process.platform !== 'linux') return await ps(pid, 'lstart')
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8')
    // The second field is the program's name in parentheses and may hold blanks: count from its end.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A process that has ended and waits for its parent to notice is gone for us.
    if (fields[0] === 'Z') return undefined
    return `${boot.trim()}/${fields[19]}`
  } catch {
    return undefined
  }
}

/** The command line of a process, its words separated by blanks; '' when it is gone. */
export async function commandLine(pid: number): Promise<string> {
  try {
    if (process.platform !== 'linux') return await ps(pid, 'args')
    return (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

/** Waits until a process that is not our child has ended; false when it is still there after the time. */
export async function hasEndedWithin(pid: number, ms: number): Promise<boolean> {
  const deadline = Date.now() + ms
  while ((await processIdentity(pid)) !== undefined) {
    if (Date.now() > deadline) return false
    await wait(POLL_MS)
  }
  return true
}
