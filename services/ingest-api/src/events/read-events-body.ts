import { DomainError } from '@billtrail/domain'
import type { Request } from 'express'
import { parseExactJson } from '../reading'

export const EVENTS_MAX = 10_000
const BODY_BYTES_MAX = 32 * 1024 * 1024

/** An event of a request before any rule was applied; undefined where its line is not JSON. */
export type SentEvent = { readonly value: unknown } | undefined

const malformed = (reason: string): DomainError =>
  new DomainError('invalid', 'malformed_json', `The body is not JSON: ${reason}`)

async function readText(req: Request): Promise<string> {
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
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks))
  } catch {
    throw malformed('it is not UTF-8.')
  }
}

function parseJson(text: string): SentEvent[] {
  let value: unknown
  try {
    value = parseExactJson(text)
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : 'unreadable.')
  }
  return (Array.isArray(value) ? value : [value]).map((event: unknown) => ({ value: event }))
}

function parseLines(text: string): SentEvent[] {
  return text
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim() !== '')
    .map((line) => {
      try {
        return { value: parseExactJson(line) }
      } catch {
        return undefined
      }
    })
}

/**
 * The events of a request: one JSON object, an array, or NDJSON by its content type. Throws `malformed_json`,
 * `body_too_large`, `too_many_events`, `no_events`, `unsupported_content_type`.
 */
export async function readEventsBody(req: Request): Promise<SentEvent[]> {
  const type = req.headers['content-type'] ?? 'application/json'
  const isLines = /\b(x-)?ndjson\b|\bjsonl\b/i.test(type)
  if (!isLines && !/json/i.test(type)) {
    throw new DomainError(
      'unsupported',
      'unsupported_content_type',
      `Content-Type ${type} is not read here: send application/json or application/x-ndjson.`,
    )
  }
  const text = await readText(req)
  const events = isLines ? parseLines(text) : parseJson(text)
  if (events.length === 0) throw new DomainError('invalid', 'no_events', 'The body holds no event.')
  if (events.length > EVENTS_MAX) {
    throw new DomainError(
      'too_large',
      'too_many_events',
      `${events.length} events are more than ${EVENTS_MAX}. Send them in parts, or upload a file.`,
    )
  }
  return events
}
