import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { once } from 'node:events'
import os from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { freePort } from '../processes/free-port'
import { isAlive } from '../processes/process-identity'
import { type RunningPostgres, startPostgres } from './start-postgres'

let parent: string
let folder: string
const running: RunningPostgres[] = []

beforeEach(async () => {
  parent = await mkdtemp(path.join(os.tmpdir(), 'billtrail-postgres-'))
  await chmod(parent, 0o755)
  folder = path.join(parent, 'postgres')
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stopNow()))
  await rm(parent, { recursive: true, force: true })
})

async function start(options: { durable?: boolean; port?: number } = {}): Promise<RunningPostgres> {
  const server = await startPostgres({ folder, durable: false, ...options })
  running.push(server)
  return server
}

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

const setting = async (server: RunningPostgres, name: string): Promise<unknown> =>
  (await ask(server.url, `select setting from pg_settings where name = '${name}'`))[0]

test('a server that keeps data writes it to the disk before it says so', async () => {
  const server = await start({ durable: true })
  expect(await setting(server, 'fsync')).toEqual({ setting: 'on' })
  expect(await setting(server, 'synchronous_commit')).toEqual({ setting: 'on' })
  expect(await setting(server, 'full_page_writes')).toEqual({ setting: 'on' })
  expect(await setting(server, 'data_checksums')).toEqual({ setting: 'on' })
})

test('only this machine reaches it, and only with the password of the data folder', async () => {
  const server = await start()
  expect(await setting(server, 'listen_addresses')).toEqual({ setting: '127.0.0.1' })
  expect(await setting(server, 'unix_socket_directories')).toEqual({ setting: '' })
  const url = new URL(server.url)
  url.password = ''
  await expect(ask(url.toString(), 'select 1')).rejects.toThrow(/password/)
  expect((await stat(path.join(folder, 'password'))).mode & 0o777).toBe(0o600)
})

test('a server that somebody left behind on the data is stopped, and what it had is there', async () => {
  const left = await start()
  await ask(left.url, 'create table kept as select 42 as answer')
  const next = await start()
  expect(await left.exited).toBe('ended (0)')
  expect(isAlive(left.pid)).toBe(false)
  expect(await ask(next.url, 'select answer from kept')).toEqual([{ answer: 42 }])
})

test('what was acknowledged is there after the server was killed with -9', async () => {
  const server = await start({ durable: true })
  await ask(server.url, 'create table kept as select 42 as answer')
  process.kill(server.pid, 'SIGKILL')
  await server.exited
  const next = await start({ durable: true })
  expect(await ask(next.url, 'select answer from kept')).toEqual([{ answer: 42 }])
})

test('the port is that of the last time, or another when somebody has it', async () => {
  const first = await start()
  await first.stop()
  const again = await start()
  expect(again.port).toBe(first.port)
  await again.stop()

  const other: Server = createServer().listen(first.port, '127.0.0.1')
  await once(other, 'listening')
  const elsewhere = await start()
  expect(elsewhere.port).not.toBe(first.port)
  expect((await readFile(path.join(folder, 'port'), 'utf8')).trim()).toBe(String(elsewhere.port))
  other.close()
})

test('a server that must have one port says so when somebody has it', async () => {
  const port = await freePort()
  const other = createServer().listen(port, '127.0.0.1')
  await once(other, 'listening')
  await expect(start({ port })).rejects.toThrow(
    /^PostgreSQL did not start on .*cluster: could not create any TCP\/IP sockets\.$/,
  )
  other.close()
})

test('a first start that was cut short is begun anew', async () => {
  const first = await start()
  await first.stop()
  await rm(path.join(folder, 'cluster'), { recursive: true })
  await writeFile(path.join(folder, 'cluster.new'), 'left in the middle')
  expect(await ask((await start()).url, 'select 1 as one')).toEqual([{ one: 1 }])
})
