import { keepRunning, type RunningPart } from './keep-running'

interface FakePart extends RunningPart {
  end(reason: string): void
  readonly stopped: () => boolean
}

function fakePart(pid: number): FakePart {
  let stopped = false
  let end: (reason: string) => void = () => undefined
  const exited = new Promise<string>((resolve) => (end = resolve))
  const stop = (): Promise<void> => {
    stopped = true
    end('stopped')
    return Promise.resolve()
  }
  return { pid, exited, end: (reason) => end(reason), stop, stopNow: stop, stopped: () => stopped }
}

/** A program that is started again and again; each start is one more part. */
function fakeProgram(failures: readonly number[] = []) {
  const parts: FakePart[] = []
  const reports: string[] = []
  let starts = 0
  const keeper = keepRunning({
    name: 'x',
    start() {
      starts++
      if (failures.includes(starts)) return Promise.reject(new Error(`start ${starts} failed.`))
      const part = fakePart(starts)
      parts.push(part)
      return Promise.resolve(part)
    },
    report: (_level, message) => reports.push(message),
    onChange: () => undefined,
  })
  return { keeper, parts, reports, starts: () => starts }
}

beforeEach(() => jest.useFakeTimers())
afterEach(() => jest.useRealTimers())

test('a program that ends at once is started again after 0.1 s, then twice as late each time', async () => {
  const { keeper, parts, reports } = fakeProgram()
  const { stop } = await keeper
  for (const delay of [100, 200, 400, 800]) {
    parts.at(-1)!.end('ended')
    await jest.advanceTimersByTimeAsync(delay)
  }
  expect(reports.filter((line) => line.includes('starting'))).toEqual([
    'ended; starting it again in 0.1 s',
    'ended; starting it again in 0.2 s',
    'ended; starting it again in 0.4 s',
    'ended; starting it again in 0.8 s',
  ])
  expect(parts).toHaveLength(5)
  await stop()
})

test('a pause is never longer than 10 s', async () => {
  const { keeper, parts, reports } = fakeProgram()
  const { stop } = await keeper
  for (let n = 0; n < 12; n++) {
    parts.at(-1)!.end('ended')
    await jest.advanceTimersByTimeAsync(10_000)
  }
  expect(parts).toHaveLength(13)
  await stop()
  expect(reports.filter((line) => line.includes('starting')).length).toBe(12)
})

test('a program that lived for two seconds starts again without delay', async () => {
  const { keeper, parts, reports } = fakeProgram()
  const { stop } = await keeper
  for (let n = 0; n < 5; n++) {
    await jest.advanceTimersByTimeAsync(2_000)
    parts.at(-1)!.end('ended')
    await jest.advanceTimersByTimeAsync(100)
  }
  expect(new Set(reports.filter((line) => line.includes('starting')))).toEqual(
    new Set(['ended; starting it again in 0.1 s']),
  )
  await stop()
})

test('a start that fails is tried again, but the very first one is the caller’s', async () => {
  await expect(fakeProgram([1]).keeper).rejects.toThrow('start 1 failed.')

  const { keeper, parts, reports } = fakeProgram([2])
  const { pid, stop } = await keeper
  parts[0]!.end('ended')
  await jest.advanceTimersByTimeAsync(300)
  expect(reports).toEqual([
    'ended; starting it again in 0.1 s',
    'start 2 failed; starting it again in 0.2 s',
    'runs again (process 3)',
  ])
  expect(pid()).toBe(3)
  await stop()
})

test('a stop during the pause starts nothing more', async () => {
  const { keeper, parts, starts } = fakeProgram()
  const { pid, stop } = await keeper
  parts[0]!.end('ended')
  await jest.advanceTimersByTimeAsync(50)
  expect(pid()).toBeUndefined()
  await stop()
  await jest.advanceTimersByTimeAsync(20_000)
  expect(starts()).toBe(1)
})

test('a stop lets the program finish and does not start it again', async () => {
  const { keeper, parts, starts } = fakeProgram()
  const { stop } = await keeper
  await stop()
  await jest.advanceTimersByTimeAsync(20_000)
  expect(parts[0]!.stopped()).toBe(true)
  expect(starts()).toBe(1)
})
