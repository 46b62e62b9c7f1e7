import { isUtf8 } from 'node:buffer'
import { DomainError } from '@billtrail/domain'
import type { Request } from 'express'
import type { BufferPool } from '../reading/buffer-pool'

const BODY_BYTES_MAX = 32 * 1024 * 1024

/** The events of a request as they were sent. */
export interface EventsBody {
  /** Valid UTF-8. */
  readonly bytes: Buffer
  /** Is it NDJSON, an event on each line? Otherwise it is one JSON value: an event, or an array of them. */
  readonly isLines: boolean
}

/** The refusal of a body that is not JSON. */
export const malformed = (reason: string): DomainError =>
  new DomainError('invalid', 'malformed_json', `The body is not JSON: ${reason}`)

async function readChunks(req: Request): Promise<{ chunks: Buffer[]; bytes: number }> {
  const chunks: Buffer[] = []
  let bytes = 0
  // A body that is refused half read is left whole: its rest is read and forgotten after the answer.
  const body = req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > BODY_BYTES_MAX) {
      throw new DomainError(
        'too_large',
        'body_too_large',
        `The body is larger than ${BODY_BYTES_MAX} bytes. Send fewer events, or upload a file.`,
      )
    }
    chunks.push(chunk)
  }
  return { chunks, bytes }
}

function joined(chunks: readonly Buffer[], buffer: Buffer): Buffer {
  let at = 0
  for (const chunk of chunks) at += chunk.copy(buffer, at)
  return buffer.subarray(0, at)
}

/**
 * The body of a request of events; by its content type it is JSON or NDJSON. Throws `malformed_json` (not UTF-8),
 * `body_too_large`, `unsupported_content_type`. Whoever has read its bytes puts them back.
 */
export async function readEventsBody(req: Request, buffers: BufferPool): Promise<EventsBody> {
  const type = req.headers['content-type'] ?? 'application/json'
  const isLines = /\b(x-)?ndjson\b|\bjsonl\b/i.test(type)
  if (!isLines && !/json/i.test(type)) {
    throw new DomainError(
      'unsupported',
      'unsupported_content_type',
      `Content-Type ${type} is not read here: send application/json or application/x-ndjson.`,
    )
  }
  const read = await readChunks(req)
  const bytes = joined(read.chunks, buffers.take(read.bytes))
  if (!isUtf8(bytes)) {
    buffers.putBack(bytes)
    throw malformed('it is not UTF-8.')
  }
  return { bytes, isLines }
}
