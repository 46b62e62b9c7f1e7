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
    const bytes = Buffer.byteLength(text)
    this.writeHead(this.statusCode, [
      'Content-Type',
      'application/json; charset=utf-8',
      'Content-Length',
      String(bytes),
    ])
    // The same bytes, and a third of the memory to write them from, where each character is one.
    this.end(text, bytes === text.length ? 'latin1' : 'utf8')
    return this
  }
}
