import type { Programs } from './programs'
import { startFailure } from './start-failure'
import { supervise } from './supervise'
import { createTerminal } from './terminal'

const SAME_KEY_MS = 500
const FORCE_MS = 3_000

/** Two ends that a person can ask for: in good order, and, asked again, at once. */
function endSignals(): { stopping: AbortSignal; stoppingNow: AbortSignal } {
  const stopping = new AbortController()
  const stoppingNow = new AbortController()
  let asked = 0
  const stop = (): void => {
    // Under npm one Ctrl-C arrives twice, from the terminal and from npm: that is not asking again.
    if (asked !== 0 && Date.now() - asked < SAME_KEY_MS) return
    asked = Date.now()
    if (!stopping.signal.aborted) {
      stopping.abort()
      return
    }
    stoppingNow.abort()
    // What still runs then has lost its channel to us, and ends by itself.
    setTimeout(() => process.exit(1), FORCE_MS).unref()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  return { stopping: stopping.signal, stoppingNow: stoppingNow.signal }
}

/** The supervisor as a program: runs the product until a signal, and ends with 1 and a sentence when it cannot. */
export async function runUntilSignal(
  programs: Programs,
  environment: NodeJS.ProcessEnv,
): Promise<never> {
  try {
    const terminal = createTerminal(process.stdout)
    await supervise({ environment, programs, terminal, ...endSignals() })
  } catch (error) {
    process.stderr.write(`${startFailure(error)}\n`)
    process.exit(1)
  }
  process.exit(0)
}
