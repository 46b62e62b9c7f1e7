import { writeSync } from 'node:fs'
import { type DestinationStream, pino, type Logger } from 'pino'

export type { Logger }

const STDOUT = 1
/** What may wait, in characters; more is written at once. */
const WAITING_MAX = 65_536
/** How long a line waits for others. A write wakes who reads it: that costs more than what is written. */
const WAITING_MS = 10

/** Writes all of it, also to a pipe that takes a part. False when nobody reads it any more. */
function written(text: string): boolean {
  let rest = Buffer.from(text)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(STDOUT, rest))
    } catch (error) {
      // A full pipe is read in a moment. Anything else stays as it is, and logging must not stop what it is about.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false
    }
  }
  return true
}

/** Standard output. What is logged within a moment is one write; it is out before the process ends, unless it is killed. */
function standardOutput(): DestinationStream & { readonly flushSync: () => void } {
  let waiting = ''
  let isDue = false
  let isRead = true
  const flushSync = () => {
    isDue = false
    const text = waiting
    waiting = ''
    if (isRead) isRead = written(text)
  }
  process.once('exit', flushSync)
  return {
    // Called after each fatal line, too.
    flushSync,
    write(line) {
      waiting += line
      if (waiting.length > WAITING_MAX) flushSync()
      else if (!isDue) {
        isDue = true
        setTimeout(flushSync, WAITING_MS).unref()
      }
    },
  }
}

const output = standardOutput()

/**
 * JSON lines on standard output. Logs carry ids and counts, never rows, keys or passwords.
 *
 * error: somebody must act now. warn: it mended itself, or will. info: what happened.
 */
export function createLogger(options: { service: string; level: string }): Logger {
  const settings = {
    level: options.level,
    base: { service: options.service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: ['req.headers.authorization', 'headers.authorization', 'password', 'key'],
  }
  return pino(settings, output)
}
