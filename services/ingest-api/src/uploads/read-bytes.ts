import { createHash } from 'node:crypto'
import { PassThrough, pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { DomainError } from '@billtrail/domain'

export interface ByteLimits {
  /** Of the file as sent. */
  readonly fileBytesMax: number
  /** Of the file after gzip is undone. */
  readonly textBytesMax: number
  /** How many times its size a gzip file may grow, beyond the first 10 MiB. */
  readonly ratioMax: number
}

export interface FileBytes {
  /**
   * The text, gzip undone. Whoever stops before its end has to say so (`return`): while somebody seems to wait for the rest
   * of a body nobody else can read and forget it, and its connection is cut.
   */
  readonly chunks: AsyncIterable<Buffer>
  /** Bytes so far, as sent. */
  readonly bytes: () => number
  /** Of the bytes as sent; call once, after the last chunk. */
  readonly sha256: () => Buffer
}

const RATIO_FREE_BYTES = 10 * 1024 * 1024
const HIGH_WATER = 256 * 1024

const tooLarge = (code: string, message: string): DomainError =>
  new DomainError('too_large', code, message)
const gzipBroken = (reason: string): DomainError =>
  new DomainError(
    'invalid',
    'gzip_broken',
    `The file is not a whole gzip file (${reason}). Compress it again, or send it plain.`,
  )
const clientGone = (): DomainError =>
  new DomainError(
    'invalid',
    'body_cut_short',
    'The connection ended before the whole file had arrived. Nothing of it counts; send it again.',
  )

const isGzip = (chunk: Buffer): boolean => chunk[0] === 0x1f && chunk[1] === 0x8b

/**
 * The bytes of a file as they arrive: hashed and counted as sent, then gunzipped where they are gzip (by the
 * first two bytes, which no text begins with). Throws `file_too_large`, `text_too_large`,
 * `gzip_ratio_too_high`, `gzip_broken`, `body_cut_short`.
 */
export function readBytes(
  source: AsyncIterable<Buffer>,
  file: { contentEncoding: string; limits: ByteLimits },
): FileBytes {
  const hash = createHash('sha256')
  let sent = 0

  async function* asSent(): AsyncGenerator<Buffer> {
    try {
      for await (const chunk of source) {
        sent += chunk.length
        if (sent > file.limits.fileBytesMax) {
          throw tooLarge(
            'file_too_large',
            `The file is larger than ${file.limits.fileBytesMax} bytes. Send it in parts.`,
          )
        }
        hash.update(chunk)
        yield chunk
      }
    } catch (error) {
      throw error instanceof DomainError ? error : clientGone()
    }
  }

  async function* text(): AsyncGenerator<Buffer> {
    const chunks = asSent()
    try {
      const first = await firstBytes(chunks)
      if (first === undefined) return
      const marked = /\bgzip\b/i.test(file.contentEncoding)
      if (marked && !isGzip(first)) throw gzipBroken('Content-Encoding says gzip')
      if (isGzip(first)) {
        yield* unzipped(first, chunks, { limits: file.limits, sent: () => sent })
        return
      }
      yield first
      yield* chunks
    } finally {
      // Not awaited: it waits for a chunk that somebody is still waiting for.
      void chunks.return(undefined)
    }
  }

  return { chunks: text(), bytes: () => sent, sha256: () => hash.digest() }
}

/** Undoes gzip; `rest` is what follows the first chunk. */
async function* unzipped(
  first: Buffer,
  rest: AsyncGenerator<Buffer>,
  file: { limits: ByteLimits; sent: () => number },
): AsyncGenerator<Buffer> {
  const packed = new PassThrough({ highWaterMark: HIGH_WATER })
  let failure: unknown
  const feed = async () => {
    try {
      packed.write(first)
      for await (const chunk of rest) {
        if (packed.destroyed) return
        if (!packed.write(chunk)) await drained(packed)
      }
      packed.end()
    } catch (error) {
      failure = error
      packed.destroy(error instanceof Error ? error : new Error('unreadable'))
    }
  }
  const gunzip = createGunzip({ chunkSize: HIGH_WATER })
  pipeline(packed, gunzip, () => undefined)
  void feed()
  let unpacked = 0
  try {
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      unpacked += chunk.length
      checkUnpacked(file.limits, file.sent(), unpacked)
      yield chunk
    }
  } catch (error) {
    if (error instanceof DomainError) throw error
    if (failure instanceof DomainError) throw failure
    throw gzipBroken(error instanceof Error ? error.message : 'broken')
  } finally {
    packed.destroy()
  }
}

/** The first chunk, joined with the next while it is too short to tell gzip by. */
async function firstBytes(chunks: AsyncGenerator<Buffer>): Promise<Buffer | undefined> {
  let first: Buffer | undefined
  while (first === undefined || first.length < 2) {
    const next = await chunks.next()
    if (next.done === true) break
    first = first === undefined ? next.value : Buffer.concat([first, next.value])
  }
  return first
}

function drained(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      stream.off('drain', over)
      stream.off('close', over)
      resolve()
    }
    stream.on('drain', over)
    stream.on('close', over)
  })
}

function checkUnpacked(limits: ByteLimits, sent: number, unpacked: number): void {
  if (unpacked > limits.textBytesMax) {
    throw tooLarge(
      'text_too_large',
      `The file is larger than ${limits.textBytesMax} bytes once gzip is undone. Send it in parts.`,
    )
  }
  if (unpacked > RATIO_FREE_BYTES && unpacked > sent * limits.ratioMax) {
    throw tooLarge(
      'gzip_ratio_too_high',
      `The file grows more than ${limits.ratioMax} times when gzip is undone. Send it plain.`,
    )
  }
}
