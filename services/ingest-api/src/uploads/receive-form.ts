import type { Readable, Writable } from 'node:stream'
import { DomainError } from '@billtrail/domain'
import type { Request, Response } from 'express'
import multer from 'multer'

/** The file of a form on its way in. */
export interface FormFile {
  readonly filename: string
  readonly contentType: string
  readonly stream: AsyncIterable<Buffer>
}

const LIMITS = { fields: 20, parts: 21, fieldSize: 10_000, fieldNameSize: 200 }
const LIMITS_EXCEEDED = ['partsLimit', 'filesLimit', 'fieldsLimit']

const fileMissing = (): DomainError =>
  new DomainError(
    'invalid',
    'file_missing',
    'Send one file, in the field "file", or the file itself as the body.',
    [{ field: 'file', message: 'curl -F file=@usage.csv' }],
  )
const secondFile = (): DomainError =>
  new DomainError(
    'invalid',
    'one_file_only',
    'The form holds more than one file. Nothing of it counts; send each file by itself.',
    [{ field: 'file', message: 'one file for each upload' }],
  )
const invalidForm = (reason: string): DomainError =>
  new DomainError('invalid', 'invalid_form', `The form cannot be read: ${reason}.`)

/** The end of a form: reached, or failed because of something that stands behind the file. */
interface FormEnd {
  readonly reached: Promise<void>
  readonly fail: (error: Error) => void
  /** Reads the body into the parser, and watches how that ends. */
  readonly feed: (req: Request, parser: Writable) => void
}

function watchForm(): FormEnd {
  let reach: () => void = () => undefined
  let fail: (error: Error) => void = () => undefined
  const reached = new Promise<void>((resolve, reject) => {
    reach = resolve
    fail = reject
  })
  // A form without a file has nobody who waits for its end.
  reached.catch(() => undefined)
  return {
    reached,
    fail,
    feed(req, parser) {
      for (const event of LIMITS_EXCEEDED) parser.on(event, () => fail(invalidForm(event)))
      parser.on(
        'field',
        (_name, _value, cut: { nameTruncated: boolean; valueTruncated: boolean }) => {
          if (cut.nameTruncated || cut.valueTruncated) fail(invalidForm('a field is too long'))
        },
      )
      parser.on('error', fail)
      parser.on('close', reach)
      req.pipe(parser)
    },
  }
}

/** The file, ending only when its form has: what stands behind the file may still refuse the whole. */
async function* untilFormEnds(file: Readable, end: FormEnd): AsyncGenerator<Buffer> {
  yield* file.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  await end.reached
}

function failureOf(error: unknown): DomainError {
  if (error instanceof DomainError) return error
  return error instanceof Error ? invalidForm(error.message) : fileMissing()
}

/** Why a file of a form is not taken; null when it is. */
function refusalOf(field: string, hasFile: boolean): DomainError | null {
  if (field !== 'file') return fileMissing()
  return hasFile ? secondFile() : null
}

/**
 * Finds the one file of a form and hands it on as it arrives: it is never whole in memory or on a disk. Throws
 * `file_missing`, `one_file_only`, `invalid_form`.
 */
export function receiveForm<T>(
  req: Request,
  res: Response,
  take: (file: FormFile) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let hasFile = false
    const end = watchForm()
    const storage: multer.StorageEngine = {
      _handleFile(_req, file, done) {
        take({
          filename: file.originalname,
          contentType: file.mimetype,
          stream: untilFormEnds(file.stream, end),
        }).then(
          (value) => {
            resolve(value)
            done(null, {})
          },
          (error: unknown) => {
            // Answered now, not when the rest of a large body has come in; the rest is read and forgotten.
            reject(error instanceof Error ? error : new Error(String(error)))
            file.stream.resume()
            done(error)
          },
        )
      },
      _removeFile(_req, _file, done) {
        done(null)
      },
    }
    const fileFilter: multer.Options['fileFilter'] = (_req, file, done) => {
      const refusal = refusalOf(file.fieldname, hasFile)
      if (refusal === null) {
        hasFile = true
        done(null, true)
        return
      }
      end.fail(refusal)
      // Where a file is being stored already, that one answers, when its rows are rolled back.
      if (!hasFile) reject(refusal)
      done(refusal)
    }
    const options = { storage, limits: LIMITS, fileFilter, streamHandler: end.feed }
    void multer(options).any()(req, res, (error: unknown) => {
      const failure = failureOf(error)
      // A file that is being stored answers by itself, when it knows what became of it.
      end.fail(failure)
      if (!hasFile) reject(failure)
    })
  })
}
