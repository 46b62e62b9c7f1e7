import { inTransaction, type Logger } from '@billtrail/platform'
import type { Pool } from 'pg'
import { countUploadUsage, listUploadsToCount } from '../storing/count-usage.repo'
import { createCountingTurn } from './counting-turn'

/** Counts the usage of committed uploads, one after the other. */
export interface UsageCounter {
  /** An upload is being stored, which counting would slow down; to be called when it is over. */
  readonly uploadBegins: () => () => void
  /** Counts what waits, unless it is being done; while uploads are being stored, within 10 s. */
  countNow(): void
  /** The same, once uploads have paused for a moment. */
  countSoon(): void
  stop(): void
}

/** Uploads that follow one another are not slowed down; what waits longer is found by the sweep. */
const PAUSE_MS = 1_000

/**
 * Counting is not part of an upload's answer: until it is done, usage is read from the events themselves. What
 * fails is tried again later; any process can take it up.
 */
export function createUsageCounter(deps: { uploadPool: Pool; logger: Logger }): UsageCounter {
  const turn = createCountingTurn()
  let isRunning = false
  let timer: NodeJS.Timeout | undefined

  async function countAll(): Promise<void> {
    for (const uploadNo of await listUploadsToCount(deps.uploadPool)) {
      await inTransaction(deps.uploadPool, (client) => countUploadUsage(client, uploadNo))
    }
  }

  function countNow(): void {
    clearTimeout(timer)
    if (isRunning) return
    if (!turn.mayBegin()) {
      timer = setTimeout(countNow, PAUSE_MS)
      return
    }
    isRunning = true
    countAll()
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error)
        deps.logger.warn({ reason }, 'usage could not be counted yet')
      })
      .finally(() => (isRunning = false))
  }

  return {
    uploadBegins: turn.uploadBegins,
    countNow,
    countSoon() {
      clearTimeout(timer)
      timer = setTimeout(countNow, PAUSE_MS)
    },
    stop: () => clearTimeout(timer),
  }
}
