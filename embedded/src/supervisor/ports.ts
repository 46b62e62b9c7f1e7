import { ConfigError } from '@billtrail/platform'
import { freePort, isPortFree } from '../processes/free-port'
import type { SupervisorConfig } from './config'

const SETTINGS = [
  'INGEST_PORT',
  'USAGE_PORT',
  'BILLING_PORT',
  'INVOICE_PORT',
  'GATEWAY_PORT',
] as const

export type Ports = Readonly<Record<(typeof SETTINGS)[number], number>>

const LOOPBACK = '127.0.0.1'

/** Where a setting's program listens: only the gateway is for others, if the person says so. */
export const hostOf = (setting: keyof Ports, config: SupervisorConfig): string =>
  setting === 'GATEWAY_PORT' ? config.HOST : LOOPBACK

/** Checks that each port can be had and chooses one where the setting is 0. Throws ConfigError for one in use. */
export async function findPorts(config: SupervisorConfig): Promise<Ports> {
  const ports = { INGEST_PORT: 0, USAGE_PORT: 0, BILLING_PORT: 0, INVOICE_PORT: 0, GATEWAY_PORT: 0 }
  const owners = new Map<number, string>()
  for (const setting of SETTINGS) {
    const wanted = config[setting]
    const other = owners.get(wanted)
    if (other !== undefined) {
      throw new ConfigError(`${setting}=${wanted}: ${other} has the same port; set another one.`)
    }
    const host = hostOf(setting, config)
    if (wanted !== 0 && !(await canListen(setting, wanted, host))) {
      throw new ConfigError(`${setting}=${wanted}: the port is in use; set another one.`)
    }
    let port = wanted
    while (port === 0 || owners.has(port)) {
      port = await freePort(0, host).catch((error: unknown) => cannotListen(setting, host, error))
    }
    owners.set(port, setting)
    ports[setting] = port
  }
  return ports
}

/** Throws the ConfigError for an address on which nothing of ours can listen. */
function cannotListen(setting: string, host: string, error: unknown): never {
  const code = (error as NodeJS.ErrnoException).code ?? String(error)
  throw new ConfigError(`HOST=${host}: ${setting} cannot listen on this address (${code}).`)
}

async function canListen(setting: string, port: number, host: string): Promise<boolean> {
  try {
    return await isPortFree(port, host)
  } catch (error) {
    return cannotListen(setting, host, error)
  }
}
