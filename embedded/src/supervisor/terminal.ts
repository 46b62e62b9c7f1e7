export type Level = 'info' | 'warn' | 'error'

export interface Terminal {
  /** A line as it is: what a person is meant to read first. */
  say(text: string): void
  /** One readable line about a part of the product. */
  report(level: Level, part: string, message: string): void
}

/** The supervisor's own words. A terminal that was closed does not stop the product. */
export function createTerminal(out: NodeJS.WritableStream): Terminal {
  out.on('error', () => undefined)
  const say = (text: string): void => void out.write(`${text}\n`)
  return {
    say,
    report(level, part, message) {
      say(`${new Date().toISOString().slice(11, 19)} ${level.padEnd(5)} ${part}: ${message}`)
    },
  }
}

const SHOWN: Readonly<Record<string, Level>> = { warn: 'warn', error: 'error', fatal: 'error' }

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** What of a program's JSON log line a person must see: warnings and worse. undefined: it stays in the file. */
export function notableLogLine(line: string): { level: Level; message: string } | undefined {
  if (!line.startsWith('{')) return undefined
  let entry: Record<string, unknown>
  try {
    entry = JSON.parse(line) as Record<string, unknown>
  } catch {
    return undefined
  }
  const level = SHOWN[textOf(entry['level'])]
  if (level === undefined) return undefined
  const error = entry['err']
  const reason =
    textOf(entry['reason']) ||
    (typeof error === 'object' && error !== null && 'message' in error ? textOf(error.message) : '')
  const message = [textOf(entry['msg']), reason].filter(Boolean).join(': ')
  return { level, message: message || line }
}
