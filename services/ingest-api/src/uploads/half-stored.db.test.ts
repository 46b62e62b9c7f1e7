import { storeNewEvents } from '@billtrail/db'
import { eventKey } from '@billtrail/domain'
import type { PoolClient } from 'pg'
import { countEvents, whatCounts } from '../testing/imbalances.repo'
import { type IngestClient, problemIn, type Upload } from '../testing/ingest-client'
import { newestOnce, until } from '../testing/slow-upload'
import { type UsageRow, usageCsv, usageRows } from '../testing/usage-csv'
import { FEW_ROWS, useIngestApi } from '../testing/use-ingest-api'

const api = useIngestApi({ batchRows: FEW_ROWS })

const changed = (row: UsageRow): UsageRow => ({ ...row, quantity: '99' })
const half = <T>(all: readonly T[]): T[] => all.filter((_one, at) => at % 2 === 0)

async function fatesOf(client: IngestClient, { id }: Upload) {
  const { accepted, duplicates, conflicts } = (await client.uploads()).find((one) => one.id === id)!
  return { accepted, duplicates, conflicts }
}

test('of a file of which half is stored the other half is new, wherever in the file a row is said again', async () => {
  const [client, once] = [await api.addClient(), await api.addClient()]
  const rows = usageRows(400, 'half')
  await once.upload(usageCsv(rows))
  const first = await client.upload(usageCsv(half(rows)))
  const said = [...rows, ...rows.map((row, at) => (at % 5 === 0 ? changed(row) : row))]
  const upload = await client.upload(usageCsv(said))
  expect(await fatesOf(client, upload)).toEqual({ accepted: 200, duplicates: 520, conflicts: 80 })
  const lines = (await client.conflicts(upload)).map(({ line }) => line)
  expect(lines).toEqual(Array.from({ length: 80 }, (_one, at) => 402 + 5 * at))

  await client.call('POST', `/v1/uploads/${first.id}/revert`)
  expect(await fatesOf(client, upload)).toEqual({ accepted: 400, duplicates: 320, conflicts: 80 })
  expect(await whatCounts(api.owner(), client.organizationId)).toEqual(
    await whatCounts(api.owner(), once.organizationId),
  )
})

test('a file that contradicts most of what is stored is compared row by row all the same', async () => {
  const client = await api.addClient()
  const rows = usageRows(300, 'other')
  await client.upload(usageCsv(half(rows)))
  const said = rows.map((row, at) => (at % 20 === 0 ? row : changed(row)))
  const upload = await client.upload(usageCsv(said))
  expect(await fatesOf(client, upload)).toEqual({ accepted: 150, duplicates: 15, conflicts: 135 })
})

test('rows of very many customers are told from what is stored, in whatever words, and the first line counts', async () => {
  const [client, once] = [await api.addClient(), await api.addClient()]
  const rows = usageRows(300, 'many').map((row, at) => ({ ...row, customer_id: `n${at % 150}` }))
  await once.upload(usageCsv(rows))
  await client.upload(usageCsv(half(rows)))
  const spelled = rows.map((row) => ({ ...row, quantity: `${row.quantity}.0` }))
  // Each row a second time: of every seventh with another value.
  const said = [...spelled, ...rows.map((row, at) => (at % 7 === 0 ? changed(row) : row))]
  const upload = await client.upload(usageCsv(said))
  expect(await fatesOf(client, upload)).toEqual({ accepted: 150, duplicates: 407, conflicts: 43 })
  const lines = (await client.conflicts(upload)).map((conflict) => conflict.line)
  expect(lines).toEqual(Array.from({ length: 43 }, (_one, at) => 302 + 7 * at))
  expect(await whatCounts(api.owner(), client.organizationId)).toEqual(
    await whatCounts(api.owner(), once.organizationId),
  )
})

test('what the API spelled in another way is the same event in a file', async () => {
  const client = await api.addClient()
  const rows = usageRows(100, 'spelled')
  await client.postEvents(half(rows).map((row) => ({ ...row, quantity: `${row.quantity}.00` })))
  const upload = await client.upload(usageCsv(rows))
  expect(await fatesOf(client, upload)).toEqual({ accepted: 50, duplicates: 50, conflicts: 0 })
})

const [LOWEST, HIGHEST] = [
  '00000000-0000-4000-8000-000000000000',
  'ffffffff-ffff-4fff-8fff-ffffffffffff',
]

/** Rows of one customer, the first of them stored, in the order of their keys. */
async function storedInPart(client: IngestClient): Promise<UsageRow[]> {
  const rows = usageRows(10, 'between').map((row) => ({ ...row, customer_id: 'c1' }))
  const sorted = [
    { ...rows[0]!, event_id: LOWEST },
    ...rows.slice(1, 9),
    { ...rows[9]!, event_id: HIGHEST },
  ]
  await client.upload(usageCsv([sorted[0]!]))
  return sorted
}

/** The API begins to store the last of the rows, with another value; `sql` holds its key until it ends. */
async function beginToStore(sql: PoolClient, client: IngestClient, row: UsageRow): Promise<void> {
  await sql.query('begin')
  const { rows } = await sql.query<{ customer: number; type: number }>(
    `select c.customer_no as customer, t.event_type_no as type
     from customers c join event_types t using (organization_id)
     where organization_id = $1 and c.id = $2 and t.name = $3`,
    [client.organizationId, row.customer_id, row.event_type],
  )
  const event = {
    customerNo: rows[0]!.customer,
    eventTypeNo: rows[0]!.type,
    eventKey: eventKey(row.event_id),
    eventId: null,
    eventDate: row.event_date,
    quantity: '4000',
    unitPrice: null,
    properties: null,
  }
  await storeNewEvents(sql, [event], [1])
}

/** The process of the database that waits for the key: it has looked for what is stored, and is copying what is not. */
const whoWaits = (): Promise<number> =>
  until(async () => {
    const { rows } = await api.owner().query<{ pid: number }>(
      `select pid from pg_locks l join pg_stat_activity a using (pid)
       where not l.granted and a.datname = current_database()`,
    )
    return rows[0]?.pid
  })

test('an event that the API stores after the file has looked for it came first', async () => {
  const client = await api.addClient()
  const rows = await storedInPart(client)
  const sql = await api.owner().connect()
  try {
    await beginToStore(sql, client, rows[9]!)
    const storing = client.upload(usageCsv(rows))
    await whoWaits()
    await sql.query('commit')
    expect(await storing).toMatchObject({ accepted: 8, duplicates: 1, conflicts: 1 })
  } finally {
    sql.release()
  }
})

test('a file whose connection is ended after it has claimed what is stored counts not at all', async () => {
  const client = await api.addClient()
  const rows = await storedInPart(client)
  const sql = await api.owner().connect()
  try {
    await beginToStore(sql, client, rows[9]!)
    const storing = client.send(usageCsv(rows))
    await api.owner().query('select pg_terminate_backend($1)', [await whoWaits()])
    expect(problemIn(await storing)).toMatchObject({ status: 503, code: 'database_unavailable' })
    await sql.query('rollback')
    expect(await newestOnce(client, 'failed')).toMatchObject({ accepted: 0 })
    expect(await countEvents(api.owner(), client.organizationId)).toBe(1)
    expect(await client.upload(usageCsv(rows))).toMatchObject({ accepted: 9, duplicates: 1 })
  } finally {
    sql.release()
  }
})
