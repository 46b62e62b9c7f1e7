import type { Express, Request, Response } from 'express'
import helmet, { type HelmetOptions } from 'helmet'
import { discardRest, type RestLimits } from './discard-rest'
import { contextIfAny } from './request-context'

/** Names and values, one after the other. */
export type RawHeaders = readonly string[]

/** What helmet would set, which is asked once: it is the same for every answer. */
function helmetHeaders(options: HelmetOptions): RawHeaders {
  const headers: string[] = []
  const answer = {
    setHeader: (name: string, value: string) => headers.push(name, value),
    removeHeader: () => undefined,
  }
  helmet(options)({} as unknown as Request, answer as unknown as Response, () => undefined)
  return headers
}

/**
 * Headers that keep a browser careful with a page. Nothing here is upgraded to https: by default Billtrail speaks http on
 * loopback, and whoever puts TLS in front does that there.
 */
export const PAGE_HEADERS: RawHeaders = helmetHeaders({
  contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
})

/** The same for answers that are no pages: most of helmet's are about pages only. */
export const DATA_HEADERS: RawHeaders = helmetHeaders({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: false,
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
})

/** Where node makes the text of a head, whoever writes it and in whatever way: `lines` are its status and what precedes `given`. */
interface HeadWriter {
  _storeHeader?: (this: Response, lines: string, given: unknown) => void
}

/** Lines of a head, without those that the answer has already. */
function linesOf(headers: RawHeaders, res?: Response): string {
  let lines = ''
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at]!
    if (!res?.hasHeader(name)) lines += `${name}: ${headers[at + 1]}\r\n`
  }
  return lines
}

/**
 * Has every answer of an application say `headers` and its request's id, unless a handler has set them itself (by `setHeader`; what
 * it gives to `writeHead` is not looked at), and has the rest of a body that is answered early thrown away.
 *
 * The lines are put into the head as it is written. To set them on each answer costs half a microsecond a header, and to give them to
 * `writeHead` half of that: each is checked anew. Throws where node has no such place, rather than leave them out.
 */
export function completeHeads(app: Express, headers: RawHeaders, limits?: RestLimits): void {
  const response = app.response as HeadWriter
  const { _storeHeader: storeHead } = response
  if (!storeHead) throw new Error('This version of Node writes the heads of answers elsewhere.')
  const lines = linesOf(headers)
  response._storeHeader = function storeWholeHead(statusLine, given) {
    const context = contextIfAny(this.req)
    // Without one it is Node itself that refuses what is no request of ours.
    if (context) {
      if (!this.req.complete) discardRest(this.req, this, limits)
      statusLine +=
        this.getHeaderNames().length === 0
          ? `${lines}x-request-id: ${context.requestId}\r\n`
          : linesOf([...headers, 'x-request-id', context.requestId], this)
    }
    storeHead.call(this, statusLine, given)
  }
}
