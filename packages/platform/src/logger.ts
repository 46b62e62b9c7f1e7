import { pino, type Logger } from 'pino'

export type { Logger }

/**
 * JSON lines on standard output. Logs carry ids and counts, never rows, keys or passwords.
 *
 * error: somebody must act now. warn: it mended itself, or will. info: what happened.
 */
export function createLogger(options: { service: string; level: string }): Logger {
  return pino({
    level: options.level,
    base: { service: options.service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: ['req.headers.authorization', 'headers.authorization', 'password', 'key'],
  })
}
