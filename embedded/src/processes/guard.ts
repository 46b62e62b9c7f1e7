import { spawn } from 'node:child_process'
import { Socket } from 'node:net'

const GUARD = `
read -r _
kill -s "$1" "$2" 2>/dev/null
[ -z "$3" ] && exit 0
tries=0
while kill -0 "$2" 2>/dev/null && [ $tries -lt 100 ]; do sleep 0.05; tries=$((tries + 1)); done
rm -rf -- "$3"
`

export interface GuardOptions {
  readonly pid: number
  readonly signal: 'INT' | 'QUIT'
  /** A folder to delete once the process has ended. */
  readonly removeFolder?: string
}

/**
 * Ends a process when this one ends, even by kill -9, for a program that cannot watch its parent itself.
 *
 * A shell waits on a pipe that only we hold open; the system closes it when we are gone. It has a process
 * group of its own, so that Ctrl-C in the terminal does not reach it. Returns how to call the guard off.
 */
export function guard(options: GuardOptions): () => void {
  const words = [
    '-c',
    GUARD,
    'guard',
    options.signal,
    String(options.pid),
    options.removeFolder ?? '',
  ]
  const shell = spawn('/bin/sh', words, { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  shell.on('error', () => undefined)
  shell.stdin.on('error', () => undefined)
  shell.unref()
  // An open pipe alone must not keep us alive; spawn's types do not say that it is a socket.
  if (shell.stdin instanceof Socket) shell.stdin.unref()
  return () => void shell.kill('SIGKILL')
}
