import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

/** A way to a server that a test can cut. */
export interface Cable {
  /** Leads to the server of this address; the answer is the address to use instead. */
  lay(address: string): Promise<string>
  /** Breaks every connection and refuses new ones, as a server that is down does. */
  cut(): Promise<void>
  mend(): Promise<void>
  /** Lets nothing through any more although all stays connected, as when a server's machine is gone. */
  freeze(): void
}

export function createCable(): Cable {
  const sockets = new Set<Socket>()
  let target = { host: '', port: 0 }
  let port = 0
  let server: Server | undefined

  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => undefined)
  }
  const mend = async () => {
    server = createServer((near) => {
      const far = connect(target)
      keep(near)
      keep(far)
      near.pipe(far)
      far.pipe(near)
      near.on('close', () => far.destroy())
      far.on('close', () => near.destroy())
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    port = (server.address() as AddressInfo).port
  }
  return {
    async lay(address) {
      const url = new URL(address)
      target = { host: url.hostname, port: Number(url.port) }
      await mend()
      url.host = `127.0.0.1:${port}`
      return url.toString()
    },
    async cut() {
      if (server?.listening !== true) return
      const over = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await over
    },
    mend,
    freeze() {
      for (const socket of sockets) socket.unpipe().pause()
    },
  }
}
