import { ConfigError, listenFailure } from '@billtrail/platform'
import { tryPort } from '../processes/free-port'
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

/** Checks that each port can be had and chooses one where the setting is 0. Throws ConfigError for one we cannot have. */
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
    const take = (port: number): Promise<number> =>
      tryPort(port, host).catch((error: unknown) => {
        throw listenFailure({ setting, port, host }, error)
      })
    let port = await take(wanted)
    while (owners.has(port)) port = await take(0)
    owners.set(port, setting)
    ports[setting] = port
  }
  return ports
}
