import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { type Figure, seconds } from '../figure'
import { freePort } from '../free-port'

const PROGRAM = path.join(__dirname, '..', '..', '..', 'embedded', 'dist', 'main.js')
const PORTS = ['INGEST_PORT', 'USAGE_PORT', 'BILLING_PORT', 'INVOICE_PORT', 'GATEWAY_PORT']

/** Starts the product on a data folder, waits until it says it is ready, and stops it. Seconds to ready. */
async function startOnce(folder: string): Promise<number> {
  const ports: Record<string, string> = {}
  for (const name of PORTS) ports[name] = String(await freePort())
  const startedAt = performance.now()
  const child = spawn(process.execPath, [PROGRAM], {
    env: { PATH: process.env['PATH'], HOME: os.homedir(), ...ports, BILLTRAIL_DATA_DIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const took = await new Promise<number>((resolve, reject) => {
    let said = ''
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString()
      if (said.includes('is ready')) resolve((performance.now() - startedAt) / 1000)
    })
    child.once('exit', () => reject(new Error(`the product did not start: ${said}`)))
  })
  const over = once(child, 'exit')
  child.kill('SIGINT')
  await over
  return took
}

/** What `npm start` takes to ready on a folder that was used before, without the build. */
export async function secondStart(): Promise<Figure[]> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'billtrail-bench-'))
  try {
    const first = await startOnce(folder)
    const second = await startOnce(folder)
    return [
      {
        work: 'npm start, second time, s',
        measured: seconds(second),
        against: `first time ${seconds(first)}`,
        value: second,
        bar: { atMost: 8 },
      },
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
