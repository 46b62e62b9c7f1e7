import type { Express, Response } from 'express'

/** Whether Express may have to leave the body out: for HEAD, a status without a body, or what the client has already. */
function needsExpress({ req, statusCode }: Response): boolean {
  if (req.method === 'GET' || req.method === 'HEAD') {
    const { headers } = req
    if (req.method === 'HEAD' || headers['if-none-match'] !== undefined) return true
    if (headers['if-modified-since'] !== undefined) return true
  }
  return statusCode === 204 || statusCode === 205 || statusCode === 304
}

/** Has `res.json` of an application without ETags write its answer at once: the same headers and bytes. */
export function answerJsonAtOnce(app: Express): void {
  const { json } = app.response
  app.response.json = function answerJson(this: Response, body: unknown) {
    // Undefined has no JSON, and a type that was set keeps its own words.
    if (body === undefined || needsExpress(this) || this.hasHeader('content-type')) {
      return json.call(this, body)
    }
    const text = JSON.stringify(body)
    this.setHeader('Content-Type', 'application/json; charset=utf-8')
    this.setHeader('Content-Length', Buffer.byteLength(text))
    this.end(text, 'utf8')
    return this
  }
}
