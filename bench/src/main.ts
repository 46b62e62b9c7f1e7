import os from 'node:os'
import { parseArgs } from 'node:util'
import type { BenchOptions } from './bench-options'
import { stopBenchServers } from './bench-server'
import { type Figure, figureText } from './figure'
import { filledDatabase } from './measurements/filled-database'
import { peakMemory } from './measurements/peak-memory'
import { postEvents } from './measurements/post-events'
import { postUsage } from './measurements/post-usage'
import { repeatAndRevert } from './measurements/repeat-and-revert'
import { secondStart } from './measurements/second-start'
import { uploadAgainstCopy } from './measurements/upload-against-copy'
import { uploadAgainstTutorial } from './measurements/upload-against-tutorial'

const MEASUREMENTS: Readonly<Record<string, (options: BenchOptions) => Promise<Figure[]>>> = {
  copy: uploadAgainstCopy,
  tutorial: uploadAgainstTutorial,
  repeat: repeatAndRevert,
  memory: peakMemory,
  filled: filledDatabase,
  events: postEvents,
  usage: postUsage,
  start: secondStart,
}

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', multiple: true, default: Object.keys(MEASUREMENTS) },
    full: { type: 'boolean', default: false },
  },
})

const say = (text: string) => process.stdout.write(`${text}\n`)

const load = (): string =>
  os
    .loadavg()
    .map((average) => average.toFixed(1))
    .join(' ')

function countOf(option: 'rows' | 'rounds'): number {
  const count = Number(values[option])
  if (Number.isInteger(count) && count > 0) return count
  throw new Error(`--${option} takes a whole number above 0`)
}

async function main(): Promise<void> {
  const options = { rows: countOf('rows'), rounds: countOf('rounds'), isFull: values.full }
  const memory = (os.totalmem() / 2 ** 30).toFixed(0)
  say(`${os.cpus().length} cores, ${memory} GiB, node ${process.version}, load ${load()}`)
  for (const name of values.only) {
    const measure = MEASUREMENTS[name]
    if (!measure) throw new Error(`--only takes ${Object.keys(MEASUREMENTS).join(', ')}`)
    for (const figure of await measure(options)) say(figureText(figure))
  }
  say(`load ${load()}`)
}

let interrupted = false

/** Stops what was started and ends with 130; asked again, at once: then the guards and channels do it. */
function interrupt(): void {
  if (interrupted) process.exit(130)
  interrupted = true
  process.stderr.write('interrupted: stopping what was started\n')
  void stopBenchServers().finally(() => process.exit(130))
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt)

main().catch((error: unknown) => {
  // What was cut off fails in its own way.
  if (interrupted) return
  process.stderr.write(
    `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  process.exitCode = 1
})
