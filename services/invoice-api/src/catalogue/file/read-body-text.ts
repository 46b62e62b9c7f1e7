import { DomainError } from '@billtrail/domain'
import type { Request } from 'express'

const decoder = new TextDecoder('utf-8', { fatal: true })

/** The request's body as text. Throws DomainError `body_too_large`, `malformed_catalogue` for what is not UTF-8. */
export async function readBodyText(req: Request, bytesMax: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of req as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bytesMax) {
      const message = 'The body is larger than this call takes.'
      throw new DomainError('too_large', 'body_too_large', message)
    }
    chunks.push(chunk)
  }
  try {
    return decoder.decode(Buffer.concat(chunks))
  } catch {
    throw new DomainError('invalid', 'malformed_catalogue', 'The body is not UTF-8.')
  }
}
