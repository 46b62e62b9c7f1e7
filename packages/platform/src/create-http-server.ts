import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import type { DirectApp } from './serve-directly'

const IDLE_MS = 60_000

/** Whether a silent connection waits for its client: for the next request, or for the rest of a body we have read so far. */
function waitsForClient(res: ServerResponse | undefined): boolean {
  if (!res || res.writableFinished) return true
  // With the body complete, or some of it not yet taken, it is we who take our time: storing, merging, waiting for a lock.
  return !res.req.complete && res.req.readableLength === 0
}

// On the socket itself: in a map beside it, the collector has to look at each.
const LATEST = Symbol('latest answer')
type WithLatest = Socket & { [LATEST]?: ServerResponse }

/**
 * An HTTP server that lets long uploads run as long as bytes keep coming, and long work take as long as it takes. A
 * client that says nothing for 60 s while it is its turn is cut off.
 */
export function createHttpServer(app: RequestListener & Partial<DirectApp>): Server {
  const handle = (req: IncomingMessage, res: ServerResponse) => {
    ;(req.socket as WithLatest)[LATEST] = res
    app(req, res)
  }
  const server = createServer(app.messages ?? {}, handle)
  // Node would end any request after 300 s; what counts is a connection that says nothing.
  server.requestTimeout = 0
  server.headersTimeout = 30_000
  server.keepAliveTimeout = 65_000
  server.setTimeout(IDLE_MS)
  server.on('timeout', (socket: WithLatest) => {
    if (waitsForClient(socket[LATEST])) socket.destroy()
    // The clock has stopped with this event: it may be the client's turn when it next rings.
    else socket.setTimeout(server.timeout)
  })
  server.on('checkContinue', handle)
  return server
}
