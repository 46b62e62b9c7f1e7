import type { Socket } from 'node:net'
import { createCable, useTestDatabase } from '@billtrail/embedded/testing'
import { createLogger } from './logger'
import { runTogether } from './run-together'
import { createPool, inTransaction, type Pool } from './sql'

const database = useTestDatabase()
const logger = createLogger({ service: 'test', level: 'silent' })
const cable = createCable()
let url = ''

beforeAll(async () => {
  url = await cable.lay(database.url())
  await database.pool().query('create table marks (mark text)')
})
afterAll(() => cable.cut())

const mark = (text: string) => ({
  name: 'mark',
  text: 'insert into marks values ($1)',
  values: [text],
})
const marked = async (text: string): Promise<void> => {
  const ask = () => database.pool().query('select from marks where mark = $1', [text])
  while ((await ask()).rowCount === 0);
}
const answers = async (pool: Pool): Promise<void> => {
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
}

test('a connection that breaks while its holder is at something else is replaced, and nothing else happens', async () => {
  const pool = createPool({ url, maxConnections: 1, logger })
  const client = await pool.connect()
  const ended = new Promise((resolve) => client.once('end', resolve))
  await cable.cut()
  await ended
  client.release()
  await cable.mend()
  await answers(pool)
  await pool.end()
})

test('a connection that the server ends in the moment it is handed on fails whoever gets it, and nobody else', async () => {
  const pool = createPool({ url: database.url(), maxConnections: 1, logger })
  const backend = 'select pg_backend_pid() as pid'
  const { rows } = await pool.query<{ pid: number }>(backend)
  let resume: () => void = () => undefined
  // What the server says from here on, the end of the first one's work and of the connection, arrives in one piece.
  pool.once('acquire', (client) => {
    const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
    stream.pause()
    resume = () => stream.resume()
  })
  const first = runTogether(pool, [mark('first')])
  const second = runTogether(pool, [mark('second')])
  await marked('first')
  await database.pool().query('select pg_terminate_backend($1, 60000)', [rows[0]!.pid])
  resume()
  expect(await first).toEqual([[]])
  await expect(second).rejects.toThrow(/not queryable|terminating connection/)
  await answers(pool)
  await pool.end()
})

test('a transaction whose connection gives no answer does not wait for a second one', async () => {
  const pool = createPool({ url, maxConnections: 1, answerTimeoutMs: 3_000, logger })
  const asked: string[] = []
  const failure: unknown = await inTransaction(pool, async (client) => {
    const query = client.query.bind(client)
    client.query = ((text: string) => {
      asked.push(text)
      return query(text)
    }) as typeof client.query
    cable.freeze()
    await client.query('select 1')
  }).catch((error: unknown) => error)
  expect(failure).toMatchObject({ message: 'Query read timeout' })
  expect(asked).toEqual(['select 1'])
  await answers(pool)
  await pool.end()
})

test('a connection of which nothing is asked is kept, however long its holder is at something else', async () => {
  const pool = createPool({ url: database.url(), maxConnections: 1, logger })
  const client = await pool.connect()
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  stream.emit('timeout')
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  client.release()
  await pool.end()
})
