import type { OutgoingHttpHeader, OutgoingHttpHeaders } from 'node:http'
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

type Headers = OutgoingHttpHeaders | OutgoingHttpHeader[]
/** As node has it: the first is the status's message, or the headers. */
type WriteHead = (
  this: Response,
  status: number,
  first?: string | Headers,
  second?: Headers,
) => Response

function setMissing(res: Response, headers: RawHeaders): void {
  for (let at = 0; at < headers.length; at += 2) {
    if (!res.hasHeader(headers[at]!)) res.setHeader(headers[at]!, headers[at + 1]!)
  }
}

/**
 * Has every answer of an application say `headers` and its request's id, unless a handler has set them itself, and has the
 * rest of a body that is answered early thrown away. They are added as the head is written, whoever writes it: setting them on each
 * answer before anybody needs them costs half a microsecond a header.
 */
export function completeHeads(app: Express, headers: RawHeaders, limits?: RestLimits): void {
  const { response } = app as { response: { writeHead: WriteHead } }
  const { writeHead } = response
  response.writeHead = function writeWholeHead(status, first, second) {
    const context = contextIfAny(this.req)
    // Node itself refuses what is no request of ours.
    if (!context || this.headersSent) return writeHead.call(this, status, first, second)
    if (!this.req.complete) discardRest(this.req, this, limits)
    const own = [...headers, 'x-request-id', context.requestId]
    if (Array.isArray(first) && this.getHeaderNames().length === 0) {
      return writeHead.call(this, status, own.concat(first as string[]))
    }
    setMissing(this, own)
    return writeHead.call(this, status, first, second)
  }
}
