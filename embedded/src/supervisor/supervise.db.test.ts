import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Client } from 'pg'
import { isAlive, processIdentity } from '../processes/process-identity'
import {
  createProductUnderTest,
  type ProductRun,
  type ProductUnderTest,
} from '../testing/product-under-test'
import { embeddedDatabaseUrl } from '../postgres/start-postgres'

let product: ProductUnderTest

beforeEach(async () => {
  product = await createProductUnderTest()
})
afterEach(() => product.remove())

const READY = /Billtrail is ready at (\S+)/
const PARTS = [
  'postgres',
  's3',
  'ingest-api',
  'usage-api',
  'billing-worker',
  'invoice-api',
  'gateway',
]

async function addressOf(run: ProductRun): Promise<string> {
  return READY.exec(await run.said(READY))![1]!
}

async function query(sql: string): Promise<unknown[]> {
  const file = (name: string) => readFile(path.join(product.dataFolder, 'postgres', name), 'utf8')
  const [port, password] = await Promise.all([file('port'), file('password')])
  const client = new Client({
    connectionString: embeddedDatabaseUrl({
      port: Number(port),
      password: password.trim(),
      database: 'billtrail',
    }),
  })
  await client.connect()
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows
  } finally {
    await client.end()
  }
}

/** Those that still run; one that has ended and that nobody has asked about yet does not. */
async function running(pids: readonly number[]): Promise<number[]> {
  const identities = await Promise.all(pids.map(processIdentity))
  return pids.filter((_, index) => identities[index] !== undefined)
}

async function stop(run: ProductRun): Promise<void> {
  run.process.kill('SIGINT')
  expect((await run.ended).code).toBe(0)
}

test('one start brings everything up and says where it is, where the key is and what to try', async () => {
  const run = product.start()
  const url = await addressOf(run)
  expect((await fetch(`${url}/health/ready`)).status).toBe(200)
  await run.said(/admin key is in .*\/admin-key/)
  await run.said(/curl -H "Authorization: Bearer \$\(cat .*\/admin-key\)" http:/)
  await stop(run)

  const { output } = await run.ended
  expect(output.filter((line) => line.includes('the-secret-key'))).toEqual([
    'Admin key, shown only now: the-secret-key',
  ])
  expect(output.join('\n')).toContain('warn  ingest-api: a warning of INGEST_PORT')
  expect(output.join('\n')).not.toContain('listening')
  const logs = path.join(product.dataFolder, 'logs')
  for (const name of await readdir(logs)) {
    expect(await readFile(path.join(logs, name), 'utf8')).not.toContain('the-secret-key')
  }
})

test('one Ctrl-C ends every process in good order, the database last', async () => {
  const run = product.start()
  await addressOf(run)
  const pids = await Promise.all(PARTS.map((part) => product.pidOf(part)))
  await stop(run)

  expect(await running(pids)).toEqual([])
  expect(await readdir(product.dataFolder)).not.toContain('supervisor.json')
  const log = (name: string) =>
    readFile(path.join(product.dataFolder, 'logs', `${name}.log`), 'utf8')
  expect(await log('ingest-api')).toContain('stopped in good order')
  expect(await log('postgres')).toContain('received fast shutdown request')
  expect(await log('postgres')).toContain('database system is shut down')
})

test('a second start finds everything as it was, at the same database address', async () => {
  const first = product.start()
  await addressOf(first)
  await query('create table kept as select 42 as answer')
  const port = await readFile(path.join(product.dataFolder, 'postgres', 'port'), 'utf8')
  await stop(first)

  const second = product.start()
  await addressOf(second)
  expect(await query('select answer from kept')).toEqual([{ answer: 42 }])
  expect(await readFile(path.join(product.dataFolder, 'postgres', 'port'), 'utf8')).toBe(port)
  await stop(second)
  expect((await second.ended).output.join('\n')).not.toContain('the-secret-key')
})

test('every part, killed with -9, is started again at once, and the product goes on', async () => {
  const run = product.start()
  await addressOf(run)
  for (const part of PARTS) {
    const before = await product.pidOf(part)
    process.kill(before, 'SIGKILL')
    await run.said(new RegExp(`${part}: ended \\(SIGKILL\\); starting it again in 0.1 s`))
    const back = await run.said(new RegExp(`${part}: runs again \\(process \\d+\\)`))
    const now = Number(/process (\d+)/.exec(back)![1])
    expect(now).not.toBe(before)
    expect(isAlive(now)).toBe(true)
  }
  expect(await query('select 1 as one')).toEqual([{ one: 1 }])
  await stop(run)
})

test('a second start on a folder in use says that one is running, and which process', async () => {
  const first = product.start()
  await addressOf(first)
  const second = await product.start().ended
  expect(second.code).toBe(1)
  expect(second.output).toEqual([
    `BILLTRAIL_DATA_DIR=${product.dataFolder}: Billtrail is already running on this folder (process ${first.process.pid}).`,
  ])
  expect(await query('select 1 as one')).toEqual([{ one: 1 }])
  await stop(first)
})

test('a supervisor killed with -9 leaves nothing that stops the next start', async () => {
  const first = product.start()
  await addressOf(first)
  await query('create table kept as select 42 as answer')
  const pids = await Promise.all(PARTS.map((part) => product.pidOf(part)))
  first.process.kill('SIGKILL')
  await first.ended

  const second = product.start()
  await addressOf(second)
  expect(await query('select answer from kept')).toEqual([{ answer: 42 }])
  expect(await running(pids)).toEqual([])
  await stop(second)
})

test('numbers of processes that meanwhile belong to somebody else stop no start and end nobody', async () => {
  const first = product.start()
  await addressOf(first)
  const postmaster = path.join(product.dataFolder, 'postgres', 'cluster', 'postmaster.pid')
  const lines = (await readFile(postmaster, 'utf8')).split('\n')
  await stop(first)
  // As after a crash of the machine: this test's own process has the numbers now.
  await writeFile(postmaster, [String(process.pid), ...lines.slice(1)].join('\n'))
  const stale = { pid: process.pid, identity: 'another-boot/1', name: 's3' }
  await writeFile(
    path.join(product.dataFolder, 'supervisor.json'),
    JSON.stringify({ ...stale, children: [stale] }),
  )
  const second = product.start()
  await addressOf(second)
  expect(isAlive(process.pid)).toBe(true)
  await stop(second)
})
