import { once } from 'node:events'
import net from 'node:net'

/** A kept HTTP connection on which one request follows the other. */
export interface LoadConnection {
  /** Sends a prepared request; rejects when the answer is not a success. */
  send(request: Buffer | string): Promise<void>
  close(): void
}

export interface LoadTarget {
  readonly port: number
  readonly key: string
}

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

const HEAD_END = '\r\n\r\n'
const CONTENT_LENGTH = /\r\ncontent-length: (\d+)\r\n/i

/** A request as it goes over the wire; made before the clock starts where its bytes are many. */
export const preparedPost = ({ key }: LoadTarget, path: string, body: string): string =>
  `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\n` +
  `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}${HEAD_END}${body}`

/**
 * Opens a connection that costs next to nothing: on a machine with two cores a client by `http.request` takes as much of them as
 * the service it measures, where pgbench, which it is held against, takes hardly any. It looks at the status and counts the
 * bytes of the answer, which has to name its length.
 */
export async function openLoadConnection({ port }: LoadTarget): Promise<LoadConnection> {
  const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
  await once(socket, 'connect')
  let waiting: Waiting | undefined
  let head: Buffer = Buffer.alloc(0)
  let left: number | undefined

  const fail = (error: Error): void => {
    socket.destroy()
    waiting?.reject(error)
    waiting = undefined
  }
  const readHead = (): void => {
    const end = head.indexOf(HEAD_END)
    if (end < 0) return
    const text = head.toString('latin1', 0, end + 2)
    const length = CONTENT_LENGTH.exec(text)?.[1]
    if (!/^HTTP\/1\.1 2/.test(text) || length === undefined) fail(new Error(head.toString()))
    else left = Number(length) - (head.length - end - HEAD_END.length)
  }
  socket.on('data', (chunk) => {
    if (left === undefined) {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
      readHead()
    } else {
      left -= chunk.length
    }
    if (left !== 0 || waiting === undefined) return
    const { resolve } = waiting
    waiting = undefined
    left = undefined
    head = Buffer.alloc(0)
    resolve()
  })
  socket.on('error', fail)
  socket.on('close', () => fail(new Error('The connection was closed before the answer.')))
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        // A connection that is closed already says so here only.
        socket.write(request, (error) => {
          if (error) fail(error)
        })
      }),
    close: () => socket.destroy(),
  }
}

/** Runs `work` on so many connections at once, each its own, until all have ended. */
export async function onConnections(
  target: LoadTarget,
  count: number,
  work: (connection: LoadConnection) => Promise<void>,
): Promise<void> {
  const opened = await Promise.all(Array.from({ length: count }, () => openLoadConnection(target)))
  try {
    await Promise.all(opened.map(work))
  } finally {
    for (const connection of opened) connection.close()
  }
}
