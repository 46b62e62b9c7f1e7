import type { Logger } from '@billtrail/platform'

/** What a pass left to do: another one soon, or none before the next interval. */
export type PassResult = 'done' | 'more'

export interface SchedulerOptions {
  readonly intervalMs: number
  /** One pass. Calls `moving` whenever it gets on, so that a long pass can be told from a stuck one. */
  readonly pass: (moving: () => void, stopping: () => boolean) => Promise<PassResult>
  readonly logger: Logger
  readonly now?: () => number
}

export interface Scheduler {
  start(): void
  /** Makes the next pass begin at once. */
  wake(): void
  /** Lets the pass that runs end, then resolves. */
  stop(): Promise<void>
  /** Rejects with the reason when no pass succeeds any more, or the one that runs stands still. */
  check(): Promise<void>
  /** Since the last successful pass ended, or since the start. */
  ageSeconds(): number
}

const BACK_OFF_FIRST_MS = 1_000
const BACK_OFF_MAX_MS = 10_000
const SOON_MS = 500
const PATIENCE_MIN_MS = 30_000

/**
 * Runs a pass, waits for the interval, and so on. A pass that fails is tried again after 1 s, then 2, 4, 8 and
 * 10 s; the process lives on.
 */
export function createScheduler(options: SchedulerOptions): Scheduler {
  const now = options.now ?? Date.now
  const patienceMs = Math.max(3 * options.intervalMs, PATIENCE_MIN_MS)
  let succeededAt = now()
  let movedAt: number | undefined
  let failure: string | undefined
  let stopping = false
  let ended: Promise<void> | undefined
  const pause = createPause()

  const passOnce = async (): Promise<PassResult | 'failed'> => {
    movedAt = now()
    try {
      const result = await options.pass(
        () => (movedAt = now()),
        () => stopping,
      )
      failure = undefined
      succeededAt = now()
      return result
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error)
      options.logger.warn({ err: error }, 'the billing cycle failed; it is tried again')
      return 'failed'
    } finally {
      movedAt = undefined
    }
  }

  const loop = async (): Promise<void> => {
    let backOffMs = BACK_OFF_FIRST_MS
    while (!stopping) {
      pause.reset()
      const result = await passOnce()
      if (result === 'failed') {
        await pause.wait(backOffMs)
        backOffMs = Math.min(2 * backOffMs, BACK_OFF_MAX_MS)
      } else {
        backOffMs = BACK_OFF_FIRST_MS
        await pause.wait(result === 'more' ? SOON_MS : options.intervalMs)
      }
    }
  }

  return {
    start: () => {
      ended ??= loop()
    },
    wake: () => pause.end(),
    stop: async () => {
      stopping = true
      pause.end()
      await ended
    },
    check: () => {
      const late = now() - (movedAt ?? succeededAt) > patienceMs
      if (failure !== undefined) {
        return Promise.reject(new Error(`The last billing cycle failed: ${failure}`))
      }
      if (late) {
        return Promise.reject(
          new Error(`No billing cycle has got on for more than ${patienceMs / 1000} s.`),
        )
      }
      return Promise.resolve()
    },
    ageSeconds: () => (now() - succeededAt) / 1000,
  }
}

/** A wait that can be cut short; also beforehand, so that a call during a pass is not lost. */
function createPause() {
  let over = false
  let end: (() => void) | undefined
  return {
    reset: () => {
      over = false
    },
    end: () => {
      over = true
      end?.()
    },
    wait: (ms: number): Promise<void> =>
      new Promise((resolve) => {
        if (over) {
          resolve()
          return
        }
        const timer = setTimeout(resolve, ms)
        end = () => {
          clearTimeout(timer)
          resolve()
        }
      }),
  }
}
