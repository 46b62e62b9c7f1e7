import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { spawnFromSource } from './spawn-from-source'
import { writeStubProduct } from './stub-product'

export interface ProductRun {
  readonly process: ChildProcess
  /** Resolves with the first line, from the start of the run, that matches; rejects when the run ends without. */
  said(pattern: RegExp): Promise<string>
  /** Resolves when it has ended. */
  readonly ended: Promise<{ code: number | null; output: string[] }>
}

export interface ProductUnderTest {
  readonly dataFolder: string
  readonly stub: string
  /** Starts a supervisor of the stub product on the data folder, with random ports unless `settings` says otherwise. */
  start(settings?: NodeJS.ProcessEnv): ProductRun
  /** The process number of a part, as the supervisor wrote it down. */
  pidOf(part: string): Promise<number>
  /** Ends what still runs and deletes the folders. */
  remove(): Promise<void>
}

const RANDOM_PORTS = {
  INGEST_PORT: '0',
  USAGE_PORT: '0',
  BILLING_PORT: '0',
  INVOICE_PORT: '0',
  GATEWAY_PORT: '0',
}

function watch(child: ChildProcess): ProductRun {
  const output: string[] = []
  const waiting = new Set<{ pattern: RegExp; resolve: (line: string) => void }>()
  for (const stream of [child.stdout!, child.stderr!]) {
    createInterface({ input: stream }).on('line', (line) => {
      output.push(line)
      for (const one of waiting) if (one.pattern.test(line)) one.resolve(line)
    })
  }
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, output }))
  return {
    process: child,
    ended,
    said(pattern) {
      const known = output.find((line) => pattern.test(line))
      if (known !== undefined) return Promise.resolve(known)
      return new Promise((resolve, reject) => {
        waiting.add({ pattern, resolve })
        void ended.then(() =>
          reject(new Error(`It ended without saying ${pattern.source}:\n${output.join('\n')}`)),
        )
      })
    },
  }
}

/** A stub product and an empty data folder of its own, below a fresh temporary folder. */
export async function createProductUnderTest(): Promise<ProductUnderTest> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'billtrail-supervisor-'))
  await chmod(folder, 0o755)
  const stub = path.join(folder, 'stub')
  const dataFolder = path.join(folder, 'data')
  await writeStubProduct(stub)
  const runs: ProductRun[] = []
  return {
    dataFolder,
    stub,
    start(settings = {}) {
      const child = spawnFromSource(path.join(__dirname, 'supervise-main.ts'), {
        words: [stub],
        env: {
          PATH: process.env['PATH'],
          ...RANDOM_PORTS,
          BILLTRAIL_DATA_DIR: dataFolder,
          ...settings,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const run = watch(child)
      runs.push(run)
      return run
    },
    async pidOf(part) {
      const text = await readFile(path.join(dataFolder, 'supervisor.json'), 'utf8')
      const { children } = JSON.parse(text) as { children: { name: string; pid: number }[] }
      const pid = children.find(({ name }) => name === part)?.pid
      if (pid === undefined) throw new Error(`${part} is not among what runs: ${text}`)
      return pid
    },
    async remove() {
      for (const run of runs) run.process.kill('SIGTERM')
      await Promise.all(runs.map((run) => run.ended))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
