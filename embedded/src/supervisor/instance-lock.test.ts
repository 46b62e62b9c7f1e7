import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { spawnFromSource } from '../testing/spawn-from-source'
import { claimAfter } from './instance-lock'

const ROUNDS = 25
const STALE = { pid: 2_000_000_000, identity: 'an-earlier-boot/1', children: [] }

let folder: string
let file: string
let contenders: ChildProcess[]

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'billtrail-lock-'))
  file = path.join(folder, 'supervisor.json')
  contenders = [1, 2, 3, 4].map(() =>
    spawnFromSource(path.join(__dirname, '..', 'testing', 'lock-contender-main.ts'), {
      words: [file],
    }),
  )
  await Promise.all(contenders.map((contender) => once(contender, 'message')))
})
afterAll(async () => {
  const ended = contenders.map((contender) => once(contender, 'exit'))
  for (const contender of contenders) contender.disconnect()
  await Promise.all(ended)
  await rm(folder, { recursive: true, force: true })
})

const askAll = (question: string): Promise<string[]> =>
  Promise.all(
    contenders.map(async (contender) => {
      const answer = once(contender, 'message')
      contender.send(question)
      return (await answer)[0] as string
    }),
  )

/** Lets all start at once, again and again; the first of each round's answers is the winner's. */
async function race(before: () => Promise<void>): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await before()
    const answers = await askAll('take')
    const winner = contenders[answers.indexOf('taken')]
    expect(answers.filter((answer) => answer !== 'taken')).toEqual(
      Array(contenders.length - 1).fill(
        `BILLTRAIL_DATA_DIR=the-folder: Billtrail is already running on this folder (process ${winner?.pid}).`,
      ),
    )
    await askAll('release')
    expect(await readdir(folder)).toEqual([])
  }
}

test('of several starts at one moment on a fresh folder exactly one runs', async () => {
  await race(() => Promise.resolve())
})

test('of several starts at one moment after a killed one exactly one runs', async () => {
  await race(() => writeFile(file, JSON.stringify(STALE)))
})

test('a start that was killed while it took over stops no later one', async () => {
  await race(async () => {
    const [lock, claim] = [JSON.stringify(STALE), JSON.stringify({ ...STALE, pid: STALE.pid + 1 })]
    await writeFile(file, lock)
    await writeFile(claimAfter(file, lock), claim)
  })
})

test('a file cut short by a crash is held by nobody', async () => {
  await race(() => writeFile(file, '{"pid": 12'))
})
