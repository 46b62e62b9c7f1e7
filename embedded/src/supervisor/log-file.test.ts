import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { openLogFile, openLogs } from './log-file'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'billtrail-log-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const contentOf = (name: string) => readFile(path.join(folder, name), 'utf8')

test('a log that is full is kept once, and the next lines begin a new one', async () => {
  const log = openLogFile(path.join(folder, 'a.log'), 10)
  for (const line of ['one', 'two', 'three', 'four', 'five']) log.write(line)
  log.close()
  expect(await contentOf('a.log')).toBe('four\nfive\n')
  expect(await contentOf('a.log.1')).toBe('three\n')
  expect((await readdir(folder)).sort()).toEqual(['a.log', 'a.log.1'])
})

test('a line longer than a log may be is written all the same', async () => {
  const log = openLogFile(path.join(folder, 'a.log'), 10)
  log.write('longer than ten bytes')
  log.close()
  expect(await contentOf('a.log')).toBe('longer than ten bytes\n')
})

test('what an earlier start wrote counts towards the size and is not lost', async () => {
  const first = openLogFile(path.join(folder, 'a.log'), 10)
  first.write('earlier')
  first.close()
  const second = openLogFile(path.join(folder, 'a.log'), 10)
  second.write('later')
  second.close()
  expect(await contentOf('a.log.1')).toBe('earlier\n')
  expect(await contentOf('a.log')).toBe('later\n')
})

test('a part has one log, however often it is asked for', async () => {
  const logs = openLogs(folder)
  logs.of('gateway').write('one')
  logs.of('gateway').write('two')
  logs.of('postgres').write('three')
  logs.close()
  expect(await contentOf('gateway.log')).toBe('one\ntwo\n')
  expect(await contentOf('postgres.log')).toBe('three\n')
})

test('a folder that is gone loses lines, not the product', async () => {
  const log = openLogFile(path.join(folder, 'missing', 'a.log'))
  log.write('lost')
  log.close()
  expect(await readdir(folder)).toEqual([])
})
