import { type ChildProcess, spawn, type StdioOptions } from 'node:child_process'
import path from 'node:path'

const LOADER = path.join(__dirname, 'from-source.js')

/** The words that make node run TypeScript sources, before the name of the file. */
export const FROM_SOURCE = ['--conditions=source', '--require', LOADER] as const

/**
 * Starts a program of this repository from its sources, so that a test needs no build before it.
 *
 * The channel ends the child when the test does, where the child watches it.
 */
export function spawnFromSource(
  file: string,
  options: { words?: readonly string[]; env?: NodeJS.ProcessEnv; stdio?: StdioOptions } = {},
): ChildProcess {
  return spawn(process.execPath, [...FROM_SOURCE, file, ...(options.words ?? [])], {
    env: options.env ?? process.env,
    stdio: options.stdio ?? ['ignore', 'pipe', 'pipe', 'ipc'],
  })
}
