import { writeSync } from 'node:fs'
import { type DestinationStream, pino, type Logger } from 'pino'

export type { Logger }

const STDOUT = 1
/** What may wait; more is written at once. */
const WAITING_BYTES = 65_536
/** Of one unit of a text. */
const UTF8_BYTES_MAX = 3
/** How long a line waits for others. A write wakes who reads it: that costs more than what is written. */
const WAITING_MS = 10

/** Writes all of it, also to a pipe that takes a part. False when nobody reads it any more. */
function written(bytes: Buffer): boolean {
  let rest = bytes
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
  // As bytes: pino makes a line of dozens of small texts, which the collector would copy for as long as the line waits.
  const waiting = Buffer.allocUnsafeSlow(WAITING_BYTES)
  let length = 0
  let isDue = false
  let isRead = true
  const write = (bytes: Buffer) => {
    if (isRead) isRead = written(bytes)
  }
  const flushSync = () => {
    isDue = false
    const until = length
    length = 0
    if (until > 0) write(waiting.subarray(0, until))
  }
  process.once('exit', flushSync)
  return {
    // Called after each fatal line, too.
    flushSync,
    write(line) {
      const bytesMax = line.length * UTF8_BYTES_MAX
      if (bytesMax > WAITING_BYTES - length) flushSync()
      if (bytesMax > WAITING_BYTES) {
        write(Buffer.from(line))
        return
      }
      length += waiting.write(line, length)
      if (!isDue) {
        isDue = true
        setTimeout(flushSync, WAITING_MS).unref()
      }
    },
  }
}

const output = standardOutput()

/** The time as pino's own `isoTime` says it; its text is made once a millisecond. */
function createIsoTime(): () => string {
  let last = NaN
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== last) {
      last = now
      text = `,"time":"${new Date(now).toISOString()}"`
    }
    return text
  }
}

/**
 * JSON lines on standard output. Logs carry ids and counts, never rows, keys or passwords.
 *
 * error: somebody must act now. warn: it mended itself, or will. info: what happened.
 */
export function createLogger(options: { service: string; level: string }): Logger {
  const settings = {
    level: options.level,
    base: { service: options.service },
    timestamp: createIsoTime(),
    formatters: { level: (label: string) => ({ level: label }) },
    redact: ['req.headers.authorization', 'headers.authorization', 'password', 'key'],
  }
  return pino(settings, output)
}
