import type { IncomingMessage, ServerResponse } from 'node:http'

/** How much of a refused body is still read, so that the answer is not lost to a reset connection. */
const REST_BYTES_MAX = 64 * 1024 * 1024
const REST_MS_MAX = 10_000

export interface RestLimits {
  readonly bytesMax?: number
  readonly msMax?: number
}

/**
 * Reads on, and throws away, what still comes of a body whose request is being answered before it was read.
 *
 * Closing at once would reset the connection, and the reset can overtake the answer. So the client may finish
 * sending, within limits; then the connection is cut. Where the answer is the last one on its connection, Node
 * would close it together with the answer; here only our half is closed until the body has gone by.
 */
export function discardRest(
  req: IncomingMessage,
  res: ServerResponse,
  { bytesMax = REST_BYTES_MAX, msMax = REST_MS_MAX }: RestLimits = {},
): void {
  // First of all listeners: Node's own closes the connection.
  res.prependListener('finish', () => {
    if (req.complete || req.destroyed) return
    const { socket } = req
    let last = false
    let bytes = 0
    socket.destroySoon = () => {
      last = true
      socket.end()
    }
    const cut = () => socket.destroy()
    const timer = setTimeout(cut, msMax)
    const done = () => {
      clearTimeout(timer)
      socket.off('close', done)
      Reflect.deleteProperty(socket, 'destroySoon')
      if (last) cut()
    }
    req.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bytesMax) cut()
    })
    req.on('end', done)
    // The socket's, for the request no longer hears of it.
    socket.on('close', done)
    // Without a listener, a client that breaks off would end the process.
    req.on('error', done)
    // Whoever still reads it would pause it as it lets go.
    req.unpipe()
    req.resume()
  })
}
