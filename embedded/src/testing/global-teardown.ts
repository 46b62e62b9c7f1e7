import { once } from 'node:events'

/** Ends the servers that the database tests shared, and their folder. */
async function globalTeardown(): Promise<void> {
  const servers = globalThis.billtrailTestServers
  if (servers === undefined || !servers.connected) return
  const ended = once(servers, 'exit')
  servers.disconnect()
  await ended
}

// Jest takes nothing but a default export here.
export default globalTeardown
