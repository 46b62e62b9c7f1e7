import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer } from 'node:net'
import path from 'node:path'
import { freePort } from '../processes/free-port'
import { createProductUnderTest, type ProductUnderTest } from '../testing/product-under-test'

let product: ProductUnderTest

beforeEach(async () => {
  product = await createProductUnderTest()
})
afterEach(() => product.remove())

/** What a start that cannot succeed says: one sentence, no stack, exit code 1. */
async function refusal(settings: NodeJS.ProcessEnv): Promise<string> {
  const { code, output } = await product.start(settings).ended
  expect(code).toBe(1)
  expect(output).toHaveLength(1)
  return output[0]!
}

test('a wrong setting is refused by name, before anything is made', async () => {
  expect(await refusal({ GATEWAY_PORT: 'eighty' })).toContain('GATEWAY_PORT=eighty: ')
  expect(await readdir(path.dirname(product.dataFolder))).toEqual(['stub'])
})

test('two services on one port are refused by name', async () => {
  const port = String(await freePort())
  expect(await refusal({ USAGE_PORT: port, INVOICE_PORT: port })).toBe(
    `INVOICE_PORT=${port}: USAGE_PORT has the same port; set another one.`,
  )
})

test('a port in use is refused by name', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  expect(await refusal({ GATEWAY_PORT: String(port) })).toBe(
    `GATEWAY_PORT=${port}: the port is in use; set another one.`,
  )
  other.close()
})

test('a data folder that cannot be written is refused by name', async () => {
  await writeFile(product.dataFolder, 'a file where the folder should be')
  expect(await refusal({})).toBe(
    `BILLTRAIL_DATA_DIR=${product.dataFolder}: the folder cannot be written (EEXIST); choose another one.`,
  )
})

test('a data folder where no folder can be made is refused by name and not tried for ever', async () => {
  // On Linux a part of the system that takes no folders; elsewhere there is nothing by this name.
  expect(await refusal({ BILLTRAIL_DATA_DIR: '/proc/billtrail' })).toMatch(
    /^BILLTRAIL_DATA_DIR=\/proc\/billtrail: the folder cannot be written \(\w+.*\); choose another one\.$/,
  )
})

test('a data folder below a file is refused by name', async () => {
  await writeFile(product.dataFolder, 'a file where the folder should be')
  const below = path.join(product.dataFolder, 'below')
  expect(await refusal({ BILLTRAIL_DATA_DIR: below })).toBe(
    `BILLTRAIL_DATA_DIR=${below}: the folder cannot be written (EEXIST); choose another one.`,
  )
})

test('data of another PostgreSQL is refused and left alone', async () => {
  const cluster = path.join(product.dataFolder, 'postgres', 'cluster')
  await mkdir(cluster, { recursive: true })
  await writeFile(path.join(cluster, 'PG_VERSION'), '15\n')
  expect(await refusal({})).toMatch(
    /^BILLTRAIL_DATA_DIR: .*cluster was made by PostgreSQL 15, and this is 18\.$/,
  )
  expect(await readdir(cluster)).toEqual(['PG_VERSION'])
})

test('a database that does not answer is refused by name, without its password', async () => {
  const port = await freePort()
  const said = await refusal({ DATABASE_URL: `postgresql://me:secret@127.0.0.1:${port}/mine` })
  expect(said).toBe(
    `DATABASE_URL: the database mine at 127.0.0.1:${port} cannot be used (ECONNREFUSED).`,
  )
})

test('a database that refuses the login is refused by name, without its password', async () => {
  const url = new URL(process.env['BILLTRAIL_TEST_DATABASE_URL']!)
  url.password = 'not-the-password'
  const said = await refusal({ DATABASE_URL: url.toString() })
  expect(said).toMatch(/^DATABASE_URL: .*password authentication failed/)
  expect(said).not.toContain('not-the-password')
})

test('an S3 server that does not answer is refused by name', async () => {
  const endpoint = `http://127.0.0.1:${await freePort()}`
  const said = await refusal({
    S3_ENDPOINT: endpoint,
    DATABASE_URL: process.env['BILLTRAIL_TEST_DATABASE_URL'],
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
  })
  expect(said).toMatch(
    `S3_ENDPOINT=${endpoint}: the bucket siua-billable-customers cannot be used (`,
  )
})

test('a database that cannot be prepared ends the start with the reason', async () => {
  await writeFile(
    path.join(product.stub, 'db/src/main.ts'),
    `process.stderr.write('The database could not be prepared: no room.\\n'); process.exit(1)`,
  )
  const { code, output } = await product.start().ended
  expect({ code, output }).toEqual({
    code: 1,
    output: ['The database could not be prepared: no room.'],
  })
})

test('a service that ends at each start ends the start with its last words and the name of its log', async () => {
  await writeFile(
    path.join(product.stub, 'services/usage-api/src/main.ts'),
    `process.stderr.write('USAGE_PORT=7: this port is not for us.\\n'); process.exit(1)`,
  )
  const { code, output } = await product.start().ended
  expect(code).toBe(1)
  expect(output.at(-1)).toMatch(
    /^usage-api does not start: USAGE_PORT=7: this port is not for us\. More is in .*usage-api\.log\.$/,
  )
})

test('a database and an S3 server of one’s own are used instead of the embedded ones', async () => {
  const run = product.start({
    DATABASE_URL: process.env['BILLTRAIL_TEST_DATABASE_URL'],
    S3_ENDPOINT: process.env['BILLTRAIL_TEST_S3_ENDPOINT'],
    AWS_ACCESS_KEY_ID: 'S3RVER',
    AWS_SECRET_ACCESS_KEY: 'S3RVER',
  })
  await run.said(/Billtrail is ready/)
  expect((await readdir(product.dataFolder)).sort()).toEqual([
    'admin-key',
    'logs',
    'supervisor.json',
  ])
  run.process.kill('SIGTERM')
  expect((await run.ended).code).toBe(0)
})
