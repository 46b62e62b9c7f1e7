import { useTestDatabase } from '@billtrail/embedded/testing'
import { createLogger, createPool } from '@billtrail/platform'
import { internCustomers } from './intern'
import { createOrganization } from './organizations'

const database = useTestDatabase()

test('a customer that an upload has just made is on disk before a call is told its number', async () => {
  const owner = database.pool()
  const name = new URL(database.url()).pathname.slice(1)
  // In the server of tests commits do not wait for the disk.
  await owner.query(`alter database ${name} set synchronous_commit = on`)
  const logger = createLogger({ service: 'test', level: 'silent' })
  const pool = createPool({ url: database.url(), role: 'billtrail_ingest', logger })
  const organizationId = await createOrganization(owner, { slug: 'durable' })
  const met = [{ id: 'new', name: null }]
  const made = await internCustomers(pool, organizationId, met, { mayLag: true })
  const { rows: written } = await pool.query<{ lsn: string }>(
    'select pg_current_wal_insert_lsn() as lsn',
  )
  expect(await internCustomers(pool, organizationId, met)).toEqual(made)
  const { rows } = await pool.query('select pg_current_wal_flush_lsn() >= $1 as is_on_disk', [
    written[0]!.lsn,
  ])
  expect(rows).toEqual([{ is_on_disk: true }])
  await pool.end()
})
