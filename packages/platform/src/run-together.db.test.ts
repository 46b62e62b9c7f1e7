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

test('whoever waits for a connection gets it, however many statements follow each other on it', async () => {
  let isAnswered = false
  const others = async (): Promise<void> => {
    while (!isAnswered) await runTogether(pool, [read])
  }
  const going = others()
  await backend()
  isAnswered = true
  await going
  expect(pool.totalCount).toBe(1)
})

test('what cannot be written as a message fails, and keeps no connection', async () => {
  const odd = { ...write('d'), values: [1 as unknown as string] }
  await expect(runTogether(pool, [odd])).rejects.toThrow('must be of type string')
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
