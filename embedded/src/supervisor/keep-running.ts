import type { Level } from './terminal'

/** A process of ours, whatever it is made of. */
export interface RunningPart {
  readonly pid: number
  /** Resolves with what happened, once it has ended. */
  readonly exited: Promise<string>
  /** Lets it finish what it does. */
  stop(): Promise<void>
  /** Ends it at once. */
  stopNow(): Promise<void>
}

export interface Keeper {
  readonly name: string
  /** undefined while it is down. */
  readonly pid: () => number | undefined
  readonly stop: () => Promise<void>
  readonly stopNow: () => Promise<void>
}

export interface KeepRunningOptions {
  readonly name: string
  readonly start: () => Promise<RunningPart>
  readonly report: (level: Level, message: string) => void
  /** Called whenever the process is another one than before. */
  readonly onChange: () => void
  /** Called when it ended without being asked, before it is started again. */
  readonly onExit?: (reason: string) => void
}

const FIRST_DELAY_MS = 100
const DELAY_MAX_MS = 10_000
/** A process that lived this long did start; its end is not the next one in a row of failures. */
const STEADY_MS = 2_000

/**
 * Starts a process and starts it again whenever it ends, after 0.1 s and then twice as long each time (at most
 * 10 s) until one lives for two seconds. Rejects when the very first start fails.
 */
export async function keepRunning(options: KeepRunningOptions): Promise<Keeper> {
  const { report, onChange } = options
  let stopping = false
  let interruptPause = (): void => undefined
  let current: RunningPart | undefined = await options.start()
  onChange()

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      interruptPause = () => {
        clearTimeout(timer)
        resolve()
      }
    })

  const loop = async (): Promise<void> => {
    let failures = 0
    let since = Date.now()
    let reason = await current!.exited
    for (;;) {
      current = undefined
      onChange()
      if (stopping) return
      options.onExit?.(reason)
      if (Date.now() - since >= STEADY_MS) failures = 0
      const delay = Math.min(FIRST_DELAY_MS * 2 ** failures, DELAY_MAX_MS)
      failures++
      report('warn', `${reason}; starting it again in ${delay / 1000} s`)
      await pause(delay)
      // A stop can come during the pause, which the compiler cannot know.
      if (stopping as boolean) return
      since = Date.now()
      try {
        current = await options.start()
        onChange()
        report('info', `runs again (process ${current.pid})`)
        if (stopping as boolean) await current.stop()
        reason = await current.exited
      } catch (error) {
        reason = error instanceof Error ? error.message.replace(/\.$/, '') : String(error)
      }
    }
  }
  const ended = loop()

  const end = async (how: 'stop' | 'stopNow'): Promise<void> => {
    stopping = true
    interruptPause()
    await current?.[how]()
    await ended
  }
  return {
    name: options.name,
    pid: () => current?.pid,
    stop: () => end('stop'),
    stopNow: () => end('stopNow'),
  }
}
