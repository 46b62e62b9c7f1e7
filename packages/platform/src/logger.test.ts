import fs from 'node:fs'
import { createLogger } from './logger'

/** What is written while `log` runs. */
function written(log: () => void): string {
  let text = ''
  const write = jest.spyOn(fs, 'writeSync').mockImplementation((_fd: number, bytes: unknown) => {
    text += (bytes as Buffer).toString()
    return (bytes as Buffer).length
  })
  log()
  write.mockRestore()
  return text
}

test('lines are kept in their order until they are written, each with its time, service and level', () => {
  const logger = createLogger({ service: 'test', level: 'info' })
  const earliest = Date.now()
  const text = written(() => {
    logger.info({ status: 201 }, 'first')
    logger.warn('second')
    // Longer than what may wait.
    logger.info({ password: 'secret' }, 'x'.repeat(70_000))
  })
  const latest = Date.now()

  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines).toMatchObject([
    { level: 'info', service: 'test', status: 201, msg: 'first' },
    { level: 'warn', service: 'test', msg: 'second' },
    { level: 'info', service: 'test', password: '[Redacted]' },
  ])
  for (const { time } of lines) {
    const millis = Date.parse(time as string)
    expect(new Date(millis).toISOString()).toBe(time)
    expect(millis).toBeGreaterThanOrEqual(earliest)
    expect(millis).toBeLessThanOrEqual(latest)
  }
})

test('what must not be lost is written at once, with all that waits', () => {
  const logger = createLogger({ service: 'test', level: 'info' })
  const text = written(() => {
    logger.info('before')
    logger.fatal('the end')
  })
  expect(text).toMatch(/"before"}\n.*"the end"}\n$/)
})

test('lines in any script are whole and in their order, however much of them waits', () => {
  const logger = createLogger({ service: 'test', level: 'info' })
  const texts = [1, 7_000, 15_000, 21_000, 22_000, 3].map((length) => '€é😀'.repeat(length))
  const text = written(() => {
    for (const one of texts) logger.info(one)
    logger.fatal('the end')
  })
  const lines = text.trimEnd().split('\n')
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    ...texts,
    'the end',
  ])
})
