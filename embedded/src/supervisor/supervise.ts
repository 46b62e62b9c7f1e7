import { type SupervisorConfig, supervisorConfig } from './config'
import { type DataFolder, openDataFolder } from './data-folder'
import { type InstanceLock, takeInstanceLock } from './instance-lock'
import { createPartKeeper, type PartKeeper } from './part-keeper'
import { INGEST_NODE_OPTIONS, partEnvironment, withNodeOptions } from './part-environment'
import { findPorts, type Ports } from './ports'
import { type Programs, SERVICE_NAMES } from './programs'
import { type HttpPart, prepare, startDatabase, startHttpPart, startStorage } from './start-parts'
import type { Terminal } from './terminal'

export interface SuperviseOptions {
  readonly environment: NodeJS.ProcessEnv
  readonly programs: Programs
  readonly terminal: Terminal
  /** Aborted when the person asks for the end. */
  readonly stopping: AbortSignal
  /** Aborted when the person asks again. */
  readonly stoppingNow: AbortSignal
}

interface Found {
  readonly ports: Ports
  readonly s3Endpoint: string
}

interface Opened {
  readonly config: SupervisorConfig
  readonly folder: DataFolder
  readonly lock: InstanceLock
  readonly keeper: PartKeeper
}

const STOP_ORDER = [['gateway'], SERVICE_NAMES, ['s3'], ['postgres']] as const

const SERVICE_PORTS = {
  'ingest-api': 'INGEST_PORT',
  'usage-api': 'USAGE_PORT',
  'billing-worker': 'BILLING_PORT',
  'invoice-api': 'INVOICE_PORT',
} as const

/**
 * Runs the whole product on this machine until `stopping` is aborted, then stops it: the gateway first, which
 * finishes what is being asked, then the services, the files, and the database last.
 *
 * Throws ConfigError with one sentence when a setting, a port, the data folder or a part does not allow a start;
 * whatever had been started by then is stopped again.
 */
export async function supervise(options: SuperviseOptions): Promise<void> {
  const { terminal, stopping } = options
  const config = supervisorConfig(options.environment)
  const folder = await openDataFolder(config.BILLTRAIL_DATA_DIR)
  const { lock, leftovers } = await takeInstanceLock(folder.lock, config.BILLTRAIL_DATA_DIR)
  const keeper = createPartKeeper({ logs: folder.logs, terminal, lock, stopping })
  if (leftovers.length > 0) {
    keeper.report(
      'info',
      'supervisor',
      `ended what a killed start had left: ${leftovers.join(', ')}`,
    )
  }
  options.stoppingNow.addEventListener('abort', () => void keeper.stopNow(), { once: true })
  try {
    const found = await startAll({ config, folder, lock, keeper }, options)
    terminal.say(welcome(config, folder, found))
    await aborted(stopping)
  } catch (error) {
    if (!stopping.aborted) throw error
  } finally {
    if (stopping.aborted) terminal.say('Stopping. Once more Ctrl-C does not wait for requests.')
    await keeper.stop(STOP_ORDER)
    lock.release()
  }
}

async function startAll(opened: Opened, options: SuperviseOptions): Promise<Found> {
  const { config, folder, keeper } = opened
  const { environment, programs, stopping, terminal } = options
  const ports = await findPorts(config)
  const addresses = { databaseUrl: '', s3Endpoint: '', ports, dataFolder: folder.root }
  await together(stopping, [
    async () => {
      addresses.databaseUrl = await startDatabase(keeper, config, folder)
    },
    async () => {
      const storage = { folder, program: programs.s3, environment }
      addresses.s3Endpoint = await startStorage(keeper, config, storage)
    },
  ])
  const env = partEnvironment(environment, config, addresses)
  const adminKey = config.BILLTRAIL_ADMIN_KEY
  await prepare(keeper, {
    program: programs.prepare,
    env: adminKey === undefined ? env : { ...env, BILLTRAIL_ADMIN_KEY: adminKey },
    say: (text) => terminal.say(text),
    stopping,
  })
  const services: HttpPart[] = SERVICE_NAMES.map((name) => {
    const url = `http://127.0.0.1:${ports[SERVICE_PORTS[name]]}`
    const own = name === 'ingest-api' ? withNodeOptions(env, INGEST_NODE_OPTIONS) : env
    return { name, file: programs.services[name], env: own, url }
  })
  const gateway: HttpPart = {
    name: 'gateway',
    file: programs.gateway,
    env: { ...env, HOST: config.HOST },
    url: gatewayUrl(config, ports),
  }
  const { logs } = folder
  // The gateway is ready when every service is, so it can start with them.
  await together(
    stopping,
    [...services, gateway].map(
      (part) => (signal) => startHttpPart(keeper, part, { logs, stopping: signal }),
    ),
  )
  return { ports, s3Endpoint: addresses.s3Endpoint }
}

/**
 * Runs jobs side by side and waits for all, so that everything they started is known and can be stopped. When
 * one fails, the others are told by the signal to give up; throws the first failure.
 */
async function together(
  stopping: AbortSignal,
  jobs: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const failed = new AbortController()
  const signal = AbortSignal.any([stopping, failed.signal])
  await Promise.all(jobs.map((job) => job(signal).catch((error: unknown) => failed.abort(error))))
  signal.throwIfAborted()
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

const EVERYWHERE = new Set(['0.0.0.0', '::'])

function gatewayUrl(config: SupervisorConfig, ports: Ports): string {
  const host = EVERYWHERE.has(config.HOST) ? '127.0.0.1' : config.HOST
  return `http://${host.includes(':') ? `[${host}]` : host}:${ports.GATEWAY_PORT}`
}

/** What a person reads once all is ready: where it is, where the key is, what to try first. */
function welcome(config: SupervisorConfig, folder: DataFolder, found: Found): string {
  const url = gatewayUrl(config, found.ports)
  const key = config.BILLTRAIL_DATA_DIR.startsWith('/')
    ? folder.adminKey
    : `${config.BILLTRAIL_DATA_DIR.replace(/\/$/, '')}/admin-key`
  return [
    '',
    `Billtrail is ready at ${url}`,
    `The admin key is in ${key}. Logs are in ${folder.logs}. Ctrl-C stops everything.`,
    `Bill files are in the bucket ${config.BILLABLE_BUCKET} at ${found.s3Endpoint}; "npm run -s db:url" is for psql.`,
    '',
    'Try:',
    `  curl -H "Authorization: Bearer $(cat ${key})" ${url}/v1/customers`,
    '',
  ].join('\n')
}
