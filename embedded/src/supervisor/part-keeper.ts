import { type Keeper, keepRunning, type RunningPart } from './keep-running'
import type { InstanceLock } from './instance-lock'
import { type LogFile, openLogs } from './log-file'
import { type NodeProgram, startNodeProgram } from './node-program'
import { notableLogLine, type Terminal } from './terminal'

export interface PartKeeperOptions {
  readonly logs: string
  readonly terminal: Terminal
  readonly lock: InstanceLock
  /** The person asked for the end: nothing new is started. */
  readonly stopping: AbortSignal
}

/** Everything that runs, in the order in which it was started. */
export interface PartKeeper {
  log(name: string): LogFile
  /** A line about a part for the person and for the supervisor's own log. */
  report: Terminal['report']
  program(name: string, file: string, env: NodeJS.ProcessEnv): NodeProgram
  keep(
    name: string,
    start: () => Promise<RunningPart>,
    onExit?: (reason: string) => void,
  ): Promise<Keeper>
  /** Stops each named group one after the other, the parts of a group together. */
  stop(order: readonly (readonly string[])[]): Promise<void>
  stopNow(): Promise<void>
}

export function createPartKeeper(options: PartKeeperOptions): PartKeeper {
  const { terminal, lock } = options
  const keepers: Keeper[] = []
  const logs = openLogs(options.logs)

  const report: Terminal['report'] = (level, part, message) => {
    terminal.report(level, part, message)
    logs
      .of('supervisor')
      .write(JSON.stringify({ time: new Date().toISOString(), level, part, msg: message }))
  }
  const running = () =>
    keepers.flatMap(({ name, pid }) => {
      const number = pid()
      return number === undefined ? [] : [{ name, pid: number }]
    })
  // One after the other, each with what runs by then.
  let remembered = Promise.resolve()
  const remember = (): void => {
    remembered = remembered
      .then(() => lock.remember(running()))
      .catch((error: unknown) => {
        report('warn', 'supervisor', `could not write down what runs: ${String(error)}`)
      })
  }
  return {
    log: (name) => logs.of(name),
    report,
    program(name, file, env) {
      const lines = logs.of(name)
      return startNodeProgram({
        file,
        env,
        onOutput(line) {
          lines.write(line)
          const notable = notableLogLine(line)
          if (notable) terminal.report(notable.level, name, notable.message)
        },
        onError: (line) => lines.write(line),
      })
    },
    async keep(name, start, onExit) {
      options.stopping.throwIfAborted()
      const keeper = await keepRunning({
        name,
        start,
        report: (level, message) => report(level, name, message),
        onChange: remember,
        ...(onExit === undefined ? {} : { onExit }),
      })
      keepers.push(keeper)
      remember()
      // Before anybody is told that it runs, it is written down.
      await remembered
      return keeper
    },
    async stop(order) {
      for (const group of order) {
        await Promise.all(
          keepers.filter(({ name }) => group.includes(name)).map((keeper) => keeper.stop()),
        )
      }
      logs.close()
    },
    async stopNow() {
      await Promise.all(keepers.map((keeper) => keeper.stopNow()))
    },
  }
}
