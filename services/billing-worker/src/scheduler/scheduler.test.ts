import { createLogger } from '@billtrail/platform'
import { createScheduler, type PassResult } from './scheduler'

const logger = createLogger({ service: 'test', level: 'silent' })

/** A pass that the test ends by hand. */
function passes() {
  const open: {
    end: (result: PassResult) => void
    fail: (error: Error) => void
    moving: () => void
  }[] = []
  return {
    pass: (moving: () => void) =>
      new Promise<PassResult>((end, fail) => {
        open.push({ end, fail, moving })
      }),
    count: () => open.length,
    latest: () => open.at(-1)!,
  }
}

beforeEach(() => {
  jest.useFakeTimers()
})
afterEach(() => {
  jest.useRealTimers()
})

const settle = () => jest.advanceTimersByTimeAsync(0)

test('a pass begins at the start, and the next one an interval after it has ended', async () => {
  const { pass, count, latest } = passes()
  const scheduler = createScheduler({ intervalMs: 60_000, pass, logger })
  scheduler.start()
  expect(count()).toBe(1)
  latest().end('done')
  await jest.advanceTimersByTimeAsync(59_999)
  expect(count()).toBe(1)
  await jest.advanceTimersByTimeAsync(1)
  expect(count()).toBe(2)
})

test('woken, it begins at once; woken during a pass, right after it', async () => {
  const { pass, count, latest } = passes()
  const scheduler = createScheduler({ intervalMs: 60_000, pass, logger })
  scheduler.start()
  latest().end('done')
  await settle()
  scheduler.wake()
  await settle()
  expect(count()).toBe(2)
  scheduler.wake()
  latest().end('done')
  await settle()
  expect(count()).toBe(3)
})

test('a pass that fails is tried again after 1, 2, 4, 8, 10 and 10 s, and health says why until one succeeds', async () => {
  const { pass, count, latest } = passes()
  const scheduler = createScheduler({ intervalMs: 60_000, pass, logger })
  scheduler.start()
  for (const [at, seconds] of [1, 2, 4, 8, 10, 10].entries()) {
    latest().fail(new Error('no database'))
    await jest.advanceTimersByTimeAsync(seconds * 1000 - 1)
    expect(count()).toBe(at + 1)
    await expect(scheduler.check()).rejects.toThrow('no database')
    await jest.advanceTimersByTimeAsync(1)
    expect(count()).toBe(at + 2)
  }
  latest().end('done')
  await settle()
  await expect(scheduler.check()).resolves.toBeUndefined()
})

test('a long pass is healthy while it gets on, and not when it stands still', async () => {
  const { pass, latest } = passes()
  const scheduler = createScheduler({ intervalMs: 1_000, pass, logger })
  scheduler.start()
  await jest.advanceTimersByTimeAsync(29_000)
  latest().moving()
  await jest.advanceTimersByTimeAsync(29_000)
  await expect(scheduler.check()).resolves.toBeUndefined()
  await jest.advanceTimersByTimeAsync(1_001)
  await expect(scheduler.check()).rejects.toThrow('No billing cycle has got on')
})

test('a scheduler that was never started shows', async () => {
  const { pass } = passes()
  const scheduler = createScheduler({ intervalMs: 60_000, pass, logger })
  await jest.advanceTimersByTimeAsync(180_001)
  await expect(scheduler.check()).rejects.toThrow('more than 180 s')
})

test('stopping lets the pass that runs end, and begins no other', async () => {
  const { pass, count, latest } = passes()
  const scheduler = createScheduler({ intervalMs: 60_000, pass, logger })
  scheduler.start()
  let stopped = false
  const stop = scheduler.stop().then(() => (stopped = true))
  await settle()
  expect(stopped).toBe(false)
  latest().end('more')
  await stop
  await jest.advanceTimersByTimeAsync(120_000)
  expect(count()).toBe(1)
})
