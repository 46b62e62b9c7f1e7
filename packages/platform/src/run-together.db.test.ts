import { useTestDatabase } from '@billtrail/embedded/testing'
import fc from 'fast-check'
import { createLogger } from './logger'
import { arrayText, runTogether, type Statement } from './run-together'
import { createPool, type Pool, sqlState } from './sql'

const database = useTestDatabase()
let pool: Pool

beforeAll(async () => {
  const logger = createLogger({ service: 'test', level: 'silent' })
  pool = createPool({ url: database.url(), maxConnections: 1, logger })
  await pool.query('create table notes (note text primary key)')
})
afterAll(() => pool.end())

const write = (note: string): Statement => ({
  name: 'write',
  text: 'insert into notes values ($1)',
  values: [note],
})
const read: Statement = {
  name: 'read',
  text: 'select note, null from notes order by 1',
  values: [],
}
const backend = async (): Promise<unknown> =>
  (await pool.query('select pg_backend_pid() as pid')).rows[0]

test('statements that go together see what those before them did, and are stored together', async () => {
  expect(await runTogether(pool, [write('a'), read])).toEqual([[], [['a', null]]])
  expect(await runTogether(pool, [read, write('b'), read])).toEqual([
    [['a', null]],
    [],
    [
      ['a', null],
      ['b', null],
    ],
  ])
})

test('one statement may come several times, also on a connection that has not met it', async () => {
  await pool.query('delete from notes')
  const twice = (note: string): Statement => ({ ...write(note), name: 'write twice' })
  expect(await runTogether(pool, [twice('a'), twice('b'), read])).toEqual([
    [],
    [],
    [
      ['a', null],
      ['b', null],
    ],
  ])
  await pool.query('delete from notes')
})

test('where one fails nothing was done, and its connection serves on', async () => {
  await pool.query('delete from notes')
  await runTogether(pool, [write('a'), read])
  const before = await backend()
  const failure: unknown = await runTogether(pool, [write('c'), read, write('a')]).catch(
    (error: unknown) => error,
  )
  expect(sqlState(failure)).toBe('23505')
  expect(await runTogether(pool, [read])).toEqual([[['a', null]]])
  expect(await backend()).toEqual(before)
})

test('rows are copied between statements, all or none of them, and the connection serves on', async () => {
  await pool.query('delete from notes')
  await runTogether(pool, [write('a'), read])
  const copy = (...notes: string[]) => ({
    copy: 'copy notes from stdin',
    chunks: notes.map((note) => Buffer.from(`${note}\n`)),
  })
  const before = await backend()
  expect(await runTogether(pool, [write('b'), copy('c', 'd'), copy(), read])).toEqual([
    [],
    [],
    [],
    ['a', 'b', 'c', 'd'].map((note) => [note, null]),
  ])
  const kilobyte = 'x'.repeat(1_024)
  const many = Array.from({ length: 2_000 }, (_none, at) => `${at} ${kilobyte}`)
  for (const steps of [
    [write('e'), copy(...many, 'a', ...many), read],
    [write('e'), copy('f'), write('a'), read],
    [write('a'), copy(...many), read],
  ]) {
    const failure: unknown = await runTogether(pool, steps).catch((error: unknown) => error)
    expect(sqlState(failure)).toBe('23505')
  }
  const [notes] = await runTogether(pool, [read])
  expect(notes).toHaveLength(4)
  expect(await backend()).toEqual(before)
})

test('a statement that fails at its first use is prepared anew', async () => {
  const divide = (by: string): Statement => ({
    name: 'divide',
    text: 'select 6 / $1::int',
    values: [by],
  })
  await expect(runTogether(pool, [divide('0')])).rejects.toThrow('division by zero')
  expect(await runTogether(pool, [divide('2')])).toEqual([[['3']]])
})

test('a connection that breaks on the way fails the statements, and the next ones get another', async () => {
  const end: Statement = {
    name: 'end',
    text: 'select pg_terminate_backend(pg_backend_pid())',
    values: [],
  }
  await pool.query('truncate notes')
  await runTogether(pool, [write('a'), read])
  await expect(runTogether(pool, [end, read])).rejects.toThrow()
  expect(await runTogether(pool, [read])).toEqual([[['a', null]]])
})

/** Works of which each is asked for as the one before it begins, or ends where that is not said. */
async function oneBehindTheOther(works: readonly (readonly Statement[])[]): Promise<unknown[]> {
  const outcomes: Promise<unknown>[] = []
  const begin = (at: number): void => {
    const steps = works[at]
    if (!steps || outcomes[at]) return
    const next = () => begin(at + 1)
    outcomes[at] = runTogether(pool, steps, next).catch((error: unknown) => error)
    void outcomes[at].finally(next)
  }
  begin(0)
  const ended: unknown[] = []
  for (let at = 0; at < works.length; at++) ended.push(await outcomes[at])
  return ended
}

test('what is asked for while a work is going on runs behind it on the same connection', async () => {
  await pool.query('truncate notes')
  const before = await backend()
  await runTogether(pool, [write('a'), read])
  const calls: string[] = []
  const first = runTogether(pool, [write('b'), read], () => {
    calls.push('begun')
    void runTogether(pool, [read, write('c')]).then(() => calls.push('second'))
  }).then(() => calls.push('first'))
  await first
  expect(await runTogether(pool, [read])).toEqual([['a', 'b', 'c'].map((note) => [note, null])])
  expect(calls).toEqual(['begun', 'first', 'second'])
  expect([pool.totalCount, await backend()]).toEqual([1, before])
})

test('a work that fails, at its end or before, takes nothing with it that is behind it', async () => {
  await pool.query(
    'create table late (note text, constraint late_once unique (note) deferrable initially deferred)',
  )
  const late = (note: string): Statement => ({
    name: 'write late',
    text: 'insert into late values ($1) returning note',
    values: [note],
  })
  await runTogether(pool, [late('a')])
  const before = await backend()
  const works = [[late('b')], [late('b')], [late('c'), late('d')], [late('a')], [late('e')]]
  const ended = await oneBehindTheOther(works)
  expect(ended.map((one) => (one instanceof Error ? sqlState(one) : one))).toEqual([
    [[['b']]],
    '23505',
    [[['c']], [['d']]],
    '23505',
    [[['e']]],
  ])
  expect(await backend()).toEqual(before)
})

test('a connection that breaks fails what is behind, of which nothing is stored, and no more', async () => {
  await pool.query('truncate notes')
  const end: Statement = {
    name: 'end',
    text: 'select pg_terminate_backend(pg_backend_pid())',
    values: [],
  }
  await runTogether(pool, [write('a'), read])
  await expect(runTogether(pool, [end])).rejects.toThrow()
  await runTogether(pool, [write('b'), read])
  const ended = await oneBehindTheOther([[write('c')], [write('d'), end], [write('e')]])
  expect(ended.map((one) => one instanceof Error)).toEqual([false, true, false])
  expect(await runTogether(pool, [read])).toEqual([
    ['a', 'b', 'c', 'e'].map((note) => [note, null]),
  ])
  expect(pool.totalCount).toBe(1)
})

test('what was answered is stored, and what failed is not, however works follow each other', async () => {
  const works = fc.array(fc.array(fc.nat(12), { minLength: 1, maxLength: 3 }), { maxLength: 8 })
  const property = fc.asyncProperty(works, async (given) => {
    await pool.query('truncate notes')
    const notes = given.map((numbers) => numbers.map((number) => write(`note ${number}`)))
    const ended = await oneBehindTheOther(notes)
    const stored = new Set<string>()
    for (const [at, numbers] of given.entries()) {
      const isNew = new Set(numbers).size === numbers.length
      const fits = isNew && numbers.every((number) => !stored.has(`note ${number}`))
      expect(ended[at] instanceof Error).toBe(!fits)
      if (fits) for (const number of numbers) stored.add(`note ${number}`)
    }
    expect(await runTogether(pool, [read])).toEqual([
      [...stored].sort().map((note) => [note, null]),
    ])
  })
  await fc.assert(property, { numRuns: 50, endOnFailure: true })
  expect(pool.totalCount).toBe(1)
  await pool.query('truncate notes')
  await runTogether(pool, [write('a')])
})

test('whoever waits for a connection gets it, however many statements follow each other on it', async () => {
  let isAnswered = false
  const others = async (): Promise<void> => {
    while (!isAnswered) await runTogether(pool, [read])
  }
  const goBehind = async (): Promise<void> => {
    let behind: Promise<void> | undefined
    await runTogether(pool, [read], () => {
      if (!isAnswered) behind = goBehind()
    })
    await behind
  }
  for (const go of [others, goBehind]) {
    isAnswered = false
    const going = go()
    await backend()
    isAnswered = true
    await going
  }
  expect(pool.totalCount).toBe(1)
})

test('what cannot be written as a message fails, and keeps no connection', async () => {
  const odd = { ...write('d'), values: [1 as unknown as string] }
  const { pid } = (await backend()) as { pid: number }
  await expect(runTogether(pool, [odd])).rejects.toThrow('must be of type string')
  const isThere = async (): Promise<boolean> =>
    (await pool.query('select from pg_stat_activity where pid = $1', [pid])).rows.length > 0
  while (await isThere()) await new Promise(setImmediate)
  expect(await runTogether(pool, [read])).toEqual([[['a', null]]])
})

test('a text and bytes arrive as they were, whatever is in them', async () => {
  const text = fc.string({ unit: 'binary' }).map((one) => one.replaceAll('\0', ''))
  const bytes = fc.uint8Array().map((one) => Buffer.from(one))
  const property = fc.asyncProperty(text, bytes, async (given, binary) => {
    const values = [given, binary, null, '']
    const select = 'select $1::text, $2::bytea, $3::text, $4::text'
    const echo: Statement = { name: 'echo', text: `${select} --é`, values }
    const row = [given, `\\x${binary.toString('hex')}`, null, '']
    expect(await runTogether(pool, [echo, echo])).toEqual([[row], [row]])
  })
  await fc.assert(property, { numRuns: 50 })
})

test('an array arrives as it was, whatever is in its texts', async () => {
  const text = fc.string({ unit: 'binary' }).map((one) => one.replaceAll('\0', ''))
  const special = fc.constantFrom('', 'null', 'NULL', '{}', 'a,b', '"', '\\', ' a ', null)
  const property = fc.asyncProperty(fc.array(fc.oneof(text, special)), async (values) => {
    const { rows } = await pool.query('select $1::text[] as values', [arrayText(values)])
    expect(rows).toEqual([{ values }])
  })
  await fc.assert(property, { numRuns: 50 })
})
