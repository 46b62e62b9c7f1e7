import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import type { Writable } from 'node:stream'

export const MIB = 1024 * 1024
export const PIECE = randomBytes(MIB)

/** A request that is not sent yet. A connection that is cut is what some tests are about, so it throws nothing. */
export function open(port: number, method: string, path: string, headers = {}): ClientRequest {
  const outgoing = request({ port, host: '127.0.0.1', method, path, headers, agent: false })
  outgoing.on('error', () => undefined)
  return outgoing
}

export async function answerOf(outgoing: ClientRequest): Promise<IncomingMessage> {
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage]
  return answer
}

export async function textOf(message: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of message.setEncoding('utf8')) text += String(chunk)
  return text
}

export const jsonOf = async (message: IncomingMessage): Promise<Record<string, unknown>> =>
  JSON.parse(await textOf(message)) as Record<string, unknown>

export async function get(port: number, path: string, headers = {}): Promise<IncomingMessage> {
  return answerOf(open(port, 'GET', path, headers).end())
}

/** Writes MiBs until nobody has taken one for half a second; returns how many were written, `max` at most. */
export async function writeUntilStalled(target: Writable, max: number): Promise<number> {
  for (let written = 1; written <= max; written++) {
    if (target.write(PIECE)) continue
    let timer: NodeJS.Timeout | undefined
    const stalled = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(true), 500)
    })
    const taken = new Promise<boolean>((resolve) => target.once('drain', () => resolve(false)))
    const outcome = await Promise.race([stalled, taken])
    clearTimeout(timer)
    if (outcome) return written
  }
  return max
}

/** A client that looks at the answer only after it has sent its whole body, of so many MiB. */
export async function sendThenRead(port: number, head: string, pieces: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(`${head}\r\nContent-Length: ${pieces * MIB}\r\n\r\n`)
  for (let i = 0; i < pieces; i++) {
    await new Promise<void>((resolve, reject) => {
      socket.write(PIECE, (error) => (error ? reject(error) : resolve()))
    })
  }
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) {
    text += String(chunk)
    if (!head.includes('close')) socket.end()
  }
  return text
}

/** Sends bytes as they are and returns all that comes back until the other side closes. */
export async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  let text = ''
  for await (const chunk of socket.setEncoding('utf8')) text += String(chunk)
  return text
}
