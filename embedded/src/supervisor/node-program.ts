import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { RunningPart } from './keep-running'

export interface NodeProgramOptions {
  readonly file: string
  readonly env: NodeJS.ProcessEnv
  /** Each line of its standard output. */
  readonly onOutput: (line: string) => void
  /** Each line of its standard error. */
  readonly onError: (line: string) => void
}

export interface NodeProgram extends RunningPart {
  /** Resolves with the program's first message over the channel; rejects when it ends without one. */
  readonly message: Promise<unknown>
  /** Resolves with its exit code once it has ended; null: by a signal. */
  readonly code: Promise<number | null>
}

/** What a service gets to finish its requests before it is ended; it cuts them itself a little earlier. */
const STOP_MS = 20_000

/**
 * Starts a program of ours with node, and a channel that tells it when we are gone.
 *
 * It gets a process group of its own: Ctrl-C in the terminal is for the supervisor, who stops all in order.
 */
export function startNodeProgram(options: NodeProgramOptions): NodeProgram {
  const child = spawn(process.execPath, [...process.execArgv, options.file], {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    detached: true,
  })
  let lastWords = ''
  createInterface({ input: child.stdout! }).on('line', options.onOutput)
  createInterface({ input: child.stderr! }).on('line', (line) => {
    // Of a stack trace, the line that says what happened; of anything else, the last line.
    if (/^\w*Error\b/.test(line) || !/^\s|^Node\.js |^$/.test(line)) lastWords = line
    options.onError(line)
  })
  const code = new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null))
    child.once('close', (exitCode) => resolve(exitCode))
  })
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('close', (exitCode, signal) => {
      const reason = exitCode === 0 || signal !== null ? '' : lastWords.replace(/\.$/, '')
      resolve(reason || `ended (${signal ?? `exit code ${exitCode}`})`)
    })
  })
  const message = new Promise<unknown>((resolve, reject) => {
    child.once('message', resolve)
    void exited.then((reason) => reject(new Error(reason)))
  })
  // Most programs never send any, and nobody waits for it then.
  message.catch(() => undefined)
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.kill(signal)
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await exited
    clearTimeout(timer)
  }
  return {
    // Without a number the spawn has failed, and `exited` says why.
    pid: child.pid ?? 0,
    exited,
    code,
    message,
    stop: () => end('SIGTERM'),
    stopNow: () => end('SIGKILL'),
  }
}
