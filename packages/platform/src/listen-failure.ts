import { ConfigError } from './config'

/** Where a program wants to listen, and the variable that sets the port. */
export interface ListenWish {
  readonly setting: string
  readonly port: number
  readonly host: string
}

/** The one sentence for a port or an address on which the system does not let us listen. */
export function listenFailure(wish: ListenWish, error: unknown): ConfigError {
  const { setting, port, host } = wish
  const code = (error as NodeJS.ErrnoException).code ?? String(error)
  if (code === 'EADDRINUSE') {
    return new ConfigError(`${setting}=${port}: the port is in use; set another one.`)
  }
  if (code === 'EACCES') {
    return new ConfigError(
      `${setting}=${port}: this user may not listen on port ${port}; set ${setting} to another one, 1024 or above.`,
    )
  }
  return new ConfigError(`HOST=${host}: ${setting} cannot listen on this address (${code}).`)
}
