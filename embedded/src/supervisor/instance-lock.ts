import { createHash } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { setTimeout as wait } from 'node:timers/promises'
import { ConfigError } from '@billtrail/platform'
import { z } from 'zod'
import { hasEndedWithin, processIdentity, signal } from '../processes/process-identity'

const Known = z.object({ pid: z.int().positive(), identity: z.string() })
const Child = Known.extend({ name: z.string() })
const Lock = Known.extend({ children: z.array(Child) })

type Holder = z.infer<typeof Lock>

export interface InstanceLock {
  /** Writes down which processes run now, for a start after a kill. */
  remember(children: readonly { name: string; pid: number }[]): Promise<void>
  release(): void
}

const LEAVE_MS = 3_000
const POLL_MS = 20

/** undefined when there is no such file. */
async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** undefined when the text was cut short by a crash: then nobody holds it. */
function holderIn(text: string): Holder | undefined {
  try {
    return Lock.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

const runs = async (known: { pid: number; identity: string }): Promise<boolean> =>
  (await processIdentity(known.pid)) === known.identity

/** Ends what a killed supervisor left: its services are about to stop by themselves and hold their ports. */
async function endLeftovers(holder: Holder): Promise<string[]> {
  const left: string[] = []
  for (const child of holder.children) if (await runs(child)) left.push(child.name)
  await Promise.all(
    holder.children.map(async (child) => {
      if (!(await runs(child))) return
      signal(child.pid, 'SIGTERM')
      if (await hasEndedWithin(child.pid, LEAVE_MS)) return
      signal(child.pid, 'SIGKILL')
      await hasEndedWithin(child.pid, LEAVE_MS)
    }),
  )
  return left
}

/** Gives a finished file a second name; false when that name is taken. Of several at one moment one gets it. */
async function named(draft: string, name: string): Promise<boolean> {
  try {
    await link(draft, name)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** The name that a start must get before it may take the place of a lock with this text. */
export const claimAfter = (file: string, text: string): string =>
  `${file}.after-${createHash('sha256').update(text).digest('hex').slice(0, 16)}`

/**
 * Puts the draft in the place of a lock that nobody holds any more; false when another start may be quicker.
 *
 * A start that was killed between its claim and its move is followed like the lock itself, by a claim on its
 * text. A claim of another is removed only once the lock has changed: so two never move for the same `stale`.
 */
async function replaceStale(draft: string, file: string, stale: string): Promise<boolean> {
  const claims = [claimAfter(file, stale)]
  while (!(await named(draft, claims.at(-1)!))) {
    const text = await textOf(claims.at(-1)!)
    if (text === undefined) return false
    const claimant = holderIn(text)
    if (claimant && (await runs(claimant))) return wait(POLL_MS, false)
    claims.push(claimAfter(file, text))
  }
  const quickest = (await textOf(file)) === stale
  if (quickest) await rename(draft, file)
  for (const claim of quickest ? claims : claims.slice(-1)) await rm(claim, { force: true })
  return quickest
}

/**
 * Makes this process the only supervisor of a data folder; names what an earlier, killed one had left running.
 *
 * The file holds the process number and when that process started, so that a number which meanwhile belongs
 * to somebody else is not mistaken for ours. It is whole from the moment it has its name, and of several starts
 * at one moment one gets the name. Throws ConfigError when another supervisor runs.
 */
export async function takeInstanceLock(
  file: string,
  folder: string,
): Promise<{ lock: InstanceLock; leftovers: string[] }> {
  const own = { pid: process.pid, identity: (await processIdentity(process.pid)) ?? '' }
  const write = (holder: Holder) => JSON.stringify(holder, null, 2)
  const draft = `${file}.${process.pid}`
  let leftovers: string[] = []
  try {
    // One of a killed process with our number can still be the lock under another name: not to be written to.
    await rm(draft, { force: true })
    await writeFile(draft, write({ ...own, children: [] }))
    while (!(await named(draft, file))) {
      const text = await textOf(file)
      if (text === undefined) continue
      const holder = holderIn(text)
      if (holder && (await runs(holder))) {
        throw new ConfigError(
          `BILLTRAIL_DATA_DIR=${folder}: Billtrail is already running on this folder (process ${holder.pid}).`,
        )
      }
      if (holder) leftovers = [...leftovers, ...(await endLeftovers(holder))]
      if (await replaceStale(draft, file, text)) break
    }
  } finally {
    await rm(draft, { force: true })
  }
  let released = false
  const lock: InstanceLock = {
    async remember(children) {
      const known = await Promise.all(
        children.map(async (child) => ({
          ...child,
          identity: (await processIdentity(child.pid)) ?? '',
        })),
      )
      if (released) return
      // In one go: nobody reads half of it.
      writeFileSync(`${file}.new`, write({ ...own, children: known }))
      renameSync(`${file}.new`, file)
    },
    release() {
      released = true
      rmSync(file, { force: true })
    },
  }
  return { lock, leftovers }
}
