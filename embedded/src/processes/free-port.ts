import { createServer } from 'node:net'

/** Listens for a moment and resolves with the port it was; 0 takes any. Rejects with the system's error. */
export function tryPort(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address()
      const given = typeof address === 'object' && address !== null ? address.port : port
      server.close(() => resolve(given))
    })
  })
}

/** Whether an error says that we cannot have the port; else it is the address that is at fault. */
function isNotOurs(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'EADDRINUSE' || code === 'EACCES'
}

/** Whether a program could listen on this port now. */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  try {
    await tryPort(port, host)
    return true
  } catch (error) {
    if (isNotOurs(error)) return false
    throw error
  }
}

/** The preferred port when nobody has it, else any free one. */
export async function freePort(preferred = 0, host = '127.0.0.1'): Promise<number> {
  try {
    return await tryPort(preferred, host)
  } catch (error) {
    if (!isNotOurs(error)) throw error
    return tryPort(0, host)
  }
}
