import { DomainError } from '@billtrail/domain'
import type { Request, Response } from 'express'
import { receiveForm } from './receive-form'

/** A file on its way in. */
export interface IncomingFile {
  readonly filename: string
  readonly contentType: string
  readonly contentEncoding: string
  /** Content-Length of the request: close to the file's size, null when the client does not say. */
  readonly bytesExpected: number | null
  readonly stream: AsyncIterable<Buffer>
}

const RAW_TYPES =
  /^(text\/csv|application\/(x-)?ndjson|application\/json|application\/(x-)?gzip|text\/plain|application\/octet-stream|application\/cloudevents(-batch)?\+json)\b/

function bytesExpected(req: Request): number | null {
  const length = Number(req.headers['content-length'])
  return Number.isSafeInteger(length) ? length : null
}

/** The name a raw body is known by: the caller's, else its type. */
function rawName(req: Request): string {
  const disposition = req.headers['content-disposition'] ?? ''
  const [, name] = /filename="?([^";]{1,255})"?/.exec(disposition) ?? []
  return name ?? (/ndjson/.test(req.headers['content-type'] ?? '') ? 'upload.ndjson' : 'upload.csv')
}

/**
 * Finds the file in a request, as the form field `file` or as the body itself, and hands it to `take` while it
 * arrives. Throws `file_missing`, `one_file_only`, `unsupported_content_type`, `invalid_form`.
 */
export async function receiveFile<T>(
  req: Request,
  res: Response,
  take: (file: IncomingFile) => Promise<T>,
): Promise<T> {
  const contentType = req.headers['content-type'] ?? ''
  const sent = {
    contentEncoding: req.headers['content-encoding'] ?? '',
    bytesExpected: bytesExpected(req),
  }
  if (/^multipart\/form-data\b/i.test(contentType)) {
    return receiveForm(req, res, (file) => take({ ...file, ...sent }))
  }
  if (!RAW_TYPES.test(contentType)) {
    throw new DomainError(
      'unsupported',
      'unsupported_content_type',
      `Content-Type ${contentType === '' ? 'is missing' : `${contentType} is not read here`}: send multipart/form-data, text/csv or application/x-ndjson.`,
    )
  }
  // Whoever stops reading early leaves the request whole: its rest is read and forgotten after the answer.
  const stream = req.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  return take({ ...sent, filename: rawName(req), contentType, stream })
}
