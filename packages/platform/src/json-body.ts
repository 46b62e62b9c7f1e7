import express, { type Request, type RequestHandler } from 'express'
import { takeBody } from './direct-messages'

/** Bodies up to here are read straight from the request. */
const SMALL_BYTES_MAX = 16_384
const PLAIN_TYPE = /^application\/json(?: *; *charset=utf-8)?$/i
const BYTE_ORDER_MARK = 0xfeff

function isSmallAndPlain({ headers }: Request, bytesMax: number): boolean {
  const length = Number(headers['content-length'])
  return (
    length > 0 &&
    length <= Math.min(bytesMax, SMALL_BYTES_MAX) &&
    headers['content-encoding'] === undefined &&
    headers['transfer-encoding'] === undefined &&
    PLAIN_TYPE.test(headers['content-type'] ?? '')
  )
}

/** As Express's own parser says it; see `problemHandler`. */
const refusal = (message: string, type: string): Error =>
  Object.assign(new Error(message), { status: 400, type })

function parse(body: Buffer): unknown {
  const text = body.toString('utf8')
  return JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text)
}

/**
 * Reads a JSON body into `req.body`. Small ones of the usual type are read straight from the request, all others by Express's
 * parser, which knows of encodings, charsets and limits.
 */
export function jsonBody(bytesMax: number): RequestHandler {
  const readAny: RequestHandler = express.json({
    limit: bytesMax,
    // A bare string or number reaches zod, which explains what was expected instead.
    strict: false,
    type: ['application/json', 'application/*+json', 'text/plain', ''],
  })
  return (req, res, next) => {
    if (!isSmallAndPlain(req, bytesMax)) {
      readAny(req, res, next)
      return
    }
    const chunks: Buffer[] = []
    let isOver = false
    const whole = () => {
      isOver = true
      try {
        req.body = parse(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
      } catch (error) {
        next(refusal((error as Error).message, 'entity.parse.failed'))
        return
      }
      next()
    }
    const broken = () => {
      if (!isOver) next(refusal('request aborted', 'request.aborted'))
    }
    if (takeBody(req, { chunks, whole, broken })) return
    req.on('data', (chunk: Buffer) => chunks.push(chunk))
    req.on('end', whole)
    // The client has gone, or was cut off for its silence.
    req.on('close', broken)
  }
}
