import { mkdtemp, chmod, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { spawnFromSource } from '@billtrail/embedded/testing'

export const REPOSITORY = path.join(__dirname, '..', '..')

export interface RunningProduct {
  /** Where the gateway answers, `http://127.0.0.1:<port>`. */
  readonly url: string
  readonly dataFolder: string
  /** Ends it as Ctrl-C would, and removes its data folder. */
  stop(): Promise<void>
}

const START_MS = 100_000
const PORTS = ['INGEST_PORT', 'USAGE_PORT', 'BILLING_PORT', 'INVOICE_PORT', 'GATEWAY_PORT']

/** What a program needs of this machine; the settings of whoever runs the tests stay out of the product. */
function ownEnvironment(): NodeJS.ProcessEnv {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'USER']
  return Object.fromEntries(names.map((name) => [name, process.env[name]]))
}

/**
 * Starts the program behind `npm start` from its sources, on free ports and a new data folder, and resolves when
 * it says that it is ready. `settings` are those of the README's table.
 */
export async function startProduct(
  settings: Readonly<Record<string, string>> = {},
): Promise<RunningProduct> {
  const dataFolder = await mkdtemp(path.join(os.tmpdir(), 'billtrail-product-'))
  // As root, PostgreSQL runs as another user, who must get in.
  await chmod(dataFolder, 0o755)
  const child = spawnFromSource(path.join(REPOSITORY, 'embedded', 'src', 'main.ts'), {
    env: {
      ...ownEnvironment(),
      ...Object.fromEntries(PORTS.map((name) => [name, '0'])),
      BILLTRAIL_DATA_DIR: dataFolder,
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const stop = async () => {
    child.kill('SIGTERM')
    await exited
    await rm(dataFolder, { recursive: true, force: true })
  }
  let said = ''
  const url = await new Promise<string>((resolve, reject) => {
    const listen = (chunk: Buffer) => {
      said += chunk.toString('utf8')
      const address = /^Billtrail is ready at (\S+)$/m.exec(said)?.[1]
      if (address !== undefined) resolve(address)
    }
    child.stdout?.on('data', listen)
    child.stderr?.on('data', listen)
    const timer = setTimeout(
      () => reject(new Error(`The product is not ready:\n${said}`)),
      START_MS,
    )
    void exited.then(() => reject(new Error(`The product ended:\n${said}`)))
    timer.unref()
  }).catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return { url, dataFolder, stop }
}
