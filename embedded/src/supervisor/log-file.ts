import { closeSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import path from 'node:path'

export interface LogFile {
  write(line: string): void
  close(): void
}

const LOG_BYTES_MAX = 20 * 1024 * 1024

/** Something that may fail without anybody being worse off. */
function attempt<T>(job: () => T): T | undefined {
  try {
    return job()
  } catch {
    return undefined
  }
}

/**
 * Appends lines to a file and never lets it grow beyond 20 MB: what was written until then is kept once, as `.1`.
 *
 * A line that cannot be written (a full disk, say) is lost: logging must not stop what is logged about. Lines go
 * to the system at once, so that they are there after a kill, and in the order in which they were said.
 */
export function openLogFile(file: string, bytesMax = LOG_BYTES_MAX): LogFile {
  const open = () => attempt(() => openSync(file, 'a', 0o640))
  let descriptor = open()
  let size = attempt(() => statSync(file).size) ?? 0

  const close = (): void => {
    const closing = descriptor
    descriptor = undefined
    if (closing !== undefined) attempt(() => closeSync(closing))
  }
  return {
    write(line) {
      const bytes = Buffer.from(`${line}\n`)
      if (descriptor !== undefined && size > 0 && size + bytes.length > bytesMax) {
        close()
        attempt(() => renameSync(file, `${file}.1`))
        descriptor = open()
        size = 0
      }
      const writing = descriptor
      if (writing === undefined) return
      size += attempt(() => writeSync(writing, bytes)) ?? 0
    },
    close,
  }
}

export interface Logs {
  /** The file of a part, opened on first use. */
  of(part: string): LogFile
  close(): void
}

/** The log files of a folder, one for each part of the product. */
export function openLogs(folder: string): Logs {
  const files = new Map<string, LogFile>()
  return {
    of(part) {
      const known = files.get(part) ?? openLogFile(path.join(folder, `${part}.log`))
      files.set(part, known)
      return known
    },
    close() {
      for (const file of files.values()) file.close()
    },
  }
}
