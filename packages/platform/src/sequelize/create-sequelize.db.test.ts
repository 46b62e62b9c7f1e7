import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Sequelize } from 'sequelize'
import { createSequelize, inSequelizeTransaction, unwrapErrors } from './create-sequelize'
import { sequelizeSql } from './sequelize-sql'

const role = 'billtrail_usage'
const url = process.env['BILLTRAIL_TEST_DATABASE_URL']!
let sequelize: Sequelize

beforeAll(() => {
  sequelize = createSequelize({ url, role })
})
afterAll(() => sequelize.close())

/** An address at which nobody listens. */
async function deadAddress(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `postgresql://nobody@127.0.0.1:${port}/none`
}

test('people’s rows are edited with the service’s own role, in UTC, and without waiting long for a lock', async () => {
  const [rows] = await sequelize.query(
    `select current_user as role, timestamptz '2026-07-01T02:00:00+02:00'::text as midnight,
       current_setting('lock_timeout') as patience`,
  )
  expect(rows).toEqual([{ role, midnight: '2026-07-01 00:00:00+00', patience: '5s' }])
})

test('a plain statement belongs to the transaction it is sent in', async () => {
  const change = inSequelizeTransaction(sequelize, async (transaction) => {
    const sql = sequelizeSql(sequelize, transaction)
    await sql.query('create temporary table drafts (name text)')
    const stored = await sql.query('insert into drafts select $1 returning name', ['a draft'])
    expect(stored).toMatchObject({ rowCount: 1, rows: [{ name: 'a draft' }] })
    expect(await sql.query('update drafts set name = $1', ['x'])).toMatchObject({ rowCount: 1 })
    expect(await sql.query('select from drafts')).toMatchObject({ rowCount: 1 })
    await sql.query('select 1 / 0')
  })
  await expect(change).rejects.toMatchObject({ code: '22012' })
  const [left] = await sequelize.query(`select to_regclass('pg_temp.drafts') as found`)
  expect(left).toEqual([{ found: null }])
})

test('what the database refuses is told in the driver’s own error', async () => {
  await expect(unwrapErrors(() => sequelize.query('select from nowhere'))).rejects.toMatchObject({
    code: '42P01',
  })
})

test('a database that is not there is told as such', async () => {
  const nobody = createSequelize({ url: await deadAddress(), role })
  await expect(unwrapErrors(() => nobody.query('select 1'))).rejects.toMatchObject({
    kind: 'unavailable',
    code: 'database_unavailable',
  })
  await nobody.close()
})
