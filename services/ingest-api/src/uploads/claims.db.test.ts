import { storeNewEvents } from '@billtrail/db'
import { eventKey } from '@billtrail/domain'
import fc from 'fast-check'
import { RUN_ROWS_MAX } from '../reading'
import { whatCounts } from '../testing/imbalances.repo'
import type { IngestClient, Upload } from '../testing/ingest-client'
import { until } from '../testing/slow-upload'
import { type UsageRow, usageCsv, usageRows } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'

const api = useIngestApi()

const revert = async (client: IngestClient, { id }: Upload) =>
  expect(await client.call('POST', `/v1/uploads/${id}/revert`)).toMatchObject({ status: 200 })

/** The fates of uploads now: accepted, duplicates, conflicts. */
async function fatesOf(client: IngestClient, ...uploads: Upload[]) {
  const now = new Map((await client.uploads()).map((upload) => [upload.id, upload]))
  return uploads.map(({ id }) => {
    const { accepted, duplicates, conflicts } = now.get(id)!
    return [accepted, duplicates, conflicts]
  })
}

async function sendTimes(client: IngestClient, file: string, times: number): Promise<Upload[]> {
  const uploads: Upload[] = []
  for (let sent = 0; sent < times; sent++) uploads.push(await client.upload(file))
  return uploads
}

/** Rows of duplicate_claims of an organization: how many duplicates each holds, largest first. */
async function packsOf(client: IngestClient): Promise<number[]> {
  const { rows } = await api.owner().query<{ size: number }>(
    `select cardinality(d.lines) as size from duplicate_claims d
     join customers c on c.customer_no = d.customer_no
     where c.organization_id = $1 order by size desc`,
    [client.organizationId],
  )
  return rows.map((row) => row.size)
}

const file = usageCsv(usageRows(300, 'same'))
const FROM_THE_FIRST = [300, 0, 0]
const SAID_BEFORE = [0, 300, 0]

test.each([
  ['first', 0],
  ['second', 1],
  ['third', 2],
])(
  'of three equal files the %s is reverted: the rows count once, brought by the first that is left',
  async (_which, at) => {
    const client = await api.addClient()
    const once = await api.addClient()
    await once.upload(file)
    const uploads = await sendTimes(client, file, 3)
    expect(await fatesOf(client, ...uploads)).toEqual([FROM_THE_FIRST, SAID_BEFORE, SAID_BEFORE])
    await revert(client, uploads[at]!)
    const left = uploads.filter((_upload, place) => place !== at)
    expect(await fatesOf(client, ...left)).toEqual([FROM_THE_FIRST, SAID_BEFORE])
    const counts = await whatCounts(api.owner(), client.organizationId)
    expect(counts).toEqual(await whatCounts(api.owner(), once.organizationId))
    for (const upload of left) await revert(client, upload)
    expect(await packsOf(client)).toEqual([])
    expect(await whatCounts(api.owner(), client.organizationId)).toEqual({ events: [], usage: [] })
  },
)

test('an accepted correction makes conflicts of the duplicates of that one event, and of no other', async () => {
  const client = await api.addClient()
  const rows = usageRows(300, 'one')
  const uploads = await sendTimes(client, usageCsv(rows), 3)
  const corrected = rows.map((row, at) => (at === 7 ? { ...row, quantity: '99' } : row))
  const correction = await client.upload(usageCsv(corrected))
  expect(await fatesOf(client, correction)).toEqual([[0, 299, 1]])
  const line = 7 + 2
  expect(await client.conflicts(correction)).toMatchObject([{ line, sent: { quantity: '99' } }])

  await client.call('POST', `/v1/uploads/${correction.id}/conflicts/${line}/accept`)
  expect(await fatesOf(client, ...uploads, correction)).toEqual([
    [299, 0, 1],
    [0, 299, 1],
    [0, 299, 1],
    [1, 299, 0],
  ])
  expect(await client.conflicts(uploads[2]!)).toMatchObject([
    { line, stored: { quantity: '99' }, sent: { quantity: '1' } },
  ])

  await revert(client, correction)
  expect(await fatesOf(client, ...uploads)).toEqual([FROM_THE_FIRST, SAID_BEFORE, SAID_BEFORE])
})

const WIDE = 'customer_id,event_type,event_id,event_date,quantity,unit_price,region,path'
const wideFile = (cells: readonly string[]) =>
  `${WIDE}\nc1,call,e 1,2025-10-01,2.50,,eu,\n${cells.join(',')}\nc2,call,e2,2025-10-02,1,0,,/a\n`
const WIDE_ROW = ['c1', 'call', 'e2', '2025-10-01T00:00:00Z', '7', '0.010', 'us', '/b']

test('however its values are spelled, a row that says the same is a duplicate', async () => {
  const client = await api.addClient()
  await client.upload(wideFile(WIDE_ROW))
  const spelled = ['c1', 'call', 'e2', '2025-10-01T02:00:00+02:00', '7.000', '0.01', 'us', '/b']
  const again = await client.upload(wideFile(spelled))
  expect(await fatesOf(client, again)).toEqual([[0, 3, 0]])
})

test.each([
  ['event type', 1, 'login'],
  ['date', 3, '2025-10-01T00:00:00.000001Z'],
  ['quantity', 4, '7.000000000001'],
  ['unit price', 5, '0'],
  ['lack of a unit price', 5, ''],
  ['property', 6, 'eu'],
  ['lack of a property', 7, ''],
])(
  'a row with another %s than the stored one is a conflict, the rows around it are not',
  async (_what, at, cell) => {
    const client = await api.addClient()
    await client.upload(wideFile(WIDE_ROW))
    const again = await client.upload(wideFile(WIDE_ROW.with(at, cell)))
    expect(await fatesOf(client, again)).toEqual([[0, 2, 1]])
  },
)

test('a conflict takes over from a reverted file: what said the same as the file now contradicts', async () => {
  const client = await api.addClient()
  const rows = usageRows(40, 'over')
  const other = rows.map((row, at) => (at % 4 === 0 ? { ...row, quantity: '50' } : row))
  const first = await client.upload(usageCsv(rows))
  const second = await client.upload(usageCsv(other))
  const third = await client.upload(usageCsv(rows))
  const fourth = await client.upload(usageCsv(other))
  await revert(client, first)
  expect(await fatesOf(client, second, third, fourth)).toEqual([
    [40, 0, 0],
    [0, 30, 10],
    [0, 40, 0],
  ])
  await revert(client, second)
  expect(await fatesOf(client, third, fourth)).toEqual([
    [40, 0, 0],
    [0, 30, 10],
  ])
})

test('the duplicates of one customer are kept in packs of a bounded size', async () => {
  const client = await api.addClient()
  const rows = usageRows(2 * RUN_ROWS_MAX + 5, 'many').map((row) => ({ ...row, customer_id: 'c1' }))
  const uploads = await sendTimes(client, usageCsv(rows), 2)
  expect(await fatesOf(client, uploads[1]!)).toEqual([[0, rows.length, 0]])
  const packs = await packsOf(client)
  expect(packs[0]).toBeLessThanOrEqual(RUN_ROWS_MAX)
  expect(packs.reduce((sum, size) => sum + size, 0)).toBe(rows.length)

  const preview = await client.upload(usageCsv(rows), 'mode=preview')
  await client.call('POST', `/v1/uploads/${preview.id}/commit`)
  expect(await fatesOf(client, preview)).toEqual([[0, rows.length, 0]])
  expect((await packsOf(client))[0]).toBeLessThanOrEqual(RUN_ROWS_MAX)

  await revert(client, uploads[0]!)
  expect(await fatesOf(client, uploads[1]!, preview)).toEqual([
    [rows.length, 0, 0],
    [0, rows.length, 0],
  ])
})

test('claims on events of many customers are corrected and passed on one by one', async () => {
  const [client, once] = [await api.addClient(), await api.addClient()]
  const rows = usageRows(600, 'each').map((row, at) => ({ ...row, customer_id: `n${at % 300}` }))
  const uploads = await sendTimes(client, usageCsv(rows), 3)
  expect(await fatesOf(client, ...uploads)).toEqual([
    [600, 0, 0],
    [0, 600, 0],
    [0, 600, 0],
  ])
  const sumOf = (packs: readonly number[]) => packs.reduce((sum, size) => sum + size, 0)
  expect(sumOf(await packsOf(client))).toBe(1200)

  const corrected = rows.map((row, at) => (at % 50 === 0 ? { ...row, quantity: '99' } : row))
  const correction = await client.upload(usageCsv(corrected))
  expect(await fatesOf(client, correction)).toEqual([[0, 588, 12]])
  const line = 50 + 2
  await client.call('POST', `/v1/uploads/${correction.id}/conflicts/${line}/accept`)
  expect(await fatesOf(client, ...uploads, correction)).toEqual([
    [599, 0, 1],
    [0, 599, 1],
    [0, 599, 1],
    [1, 588, 11],
  ])
  expect(sumOf(await packsOf(client))).toBe(599 + 599 + 588)

  await revert(client, uploads[0]!)
  expect(await fatesOf(client, uploads[1]!, uploads[2]!, correction)).toEqual([
    [599, 0, 1],
    [0, 599, 1],
    [1, 588, 11],
  ])
  await revert(client, correction)
  await revert(client, uploads[1]!)
  expect(await fatesOf(client, uploads[2]!)).toEqual([[600, 0, 0]])
  expect(await packsOf(client)).toEqual([])
  await once.upload(usageCsv(rows))
  const counts = await whatCounts(api.owner(), client.organizationId)
  expect(counts).toEqual(await whatCounts(api.owner(), once.organizationId))
})

async function isSomebodyWaiting(): Promise<boolean> {
  const { rows } = await api.owner().query<{ waiting: number }>(
    `select count(*)::int as waiting from pg_locks l join pg_stat_activity a using (pid)
     where not l.granted and a.datname = current_database()`,
  )
  return rows[0]!.waiting > 0
}

test.each(['', 'mode=preview'])(
  'an event that the API stores while a file with it is being stored came first (%s)',
  async (query) => {
    const client = await api.addClient()
    await client.upload(usageCsv(usageRows(20, 'before')))
    const rows = usageRows(20, 'race')
    // What is stored is changed, so that the API's value is seen to be the one that counts.
    const sent = rows.map((row, at) => (at === 3 ? { ...row, quantity: '40' } : row))
    const preview = query === '' ? undefined : await client.upload(usageCsv(sent), query)
    const sql = await api.owner().connect()
    try {
      await sql.query('begin')
      const { rows: numbers } = await sql.query<{ customer: number; type: number }>(
        `select c.customer_no as customer, t.event_type_no as type
         from customers c join event_types t using (organization_id)
         where organization_id = $1 and c.id = $2 and t.name = $3`,
        [client.organizationId, rows[3]!.customer_id, rows[3]!.event_type],
      )
      const event = {
        customerNo: numbers[0]!.customer,
        eventTypeNo: numbers[0]!.type,
        eventKey: eventKey(rows[3]!.event_id),
        eventId: rows[3]!.event_id,
        eventDate: rows[3]!.event_date,
        quantity: '4',
        unitPrice: null,
        properties: null,
      }
      await storeNewEvents(sql, [event], [1])
      const storing = preview
        ? client.call('POST', `/v1/uploads/${preview.id}/commit`)
        : client.send(usageCsv(sent))
      await until(async () => (await isSomebodyWaiting()) || undefined)
      await sql.query('commit')
      const { body } = await storing
      expect(body).toMatchObject({ accepted: 19, duplicates: 0, conflicts: 1 })
    } finally {
      sql.release()
    }
  },
)

/** What may become of a row of the file that was sent first. */
const sentAgain = fc.constantFrom('as it was', 'changed', 'new', 'twice', 'other type')

function retell(row: UsageRow, how: string): UsageRow[] {
  if (how === 'changed') return [{ ...row, quantity: '77' }]
  if (how === 'new') return [{ ...row, event_id: `new-${row.event_id}` }]
  if (how === 'twice') return [row, { ...row, quantity: '78' }]
  if (how === 'other type') return [{ ...row, event_type: 'other' }]
  return [{ ...row, quantity: `${row.quantity}.000` }]
}

test('a file that repeats, changes and adds rows at will is accounted for as when it is sent in parts of one row', async () => {
  const first = usageRows(12, 'mix')
  const ways = fc.array(sentAgain, { minLength: first.length, maxLength: first.length })
  await fc.assert(
    fc.asyncProperty(ways, fc.boolean(), async (how, isPreviewed) => {
      const [whole, parts] = await Promise.all([api.addClient(), api.addClient()])
      await Promise.all([whole.upload(usageCsv(first)), parts.upload(usageCsv(first))])
      const rows = first.flatMap((row, at) => retell(row, how[at]!))

      let upload = await whole.upload(usageCsv(rows), isPreviewed ? 'mode=preview' : '')
      if (isPreviewed) {
        await whole.call('POST', `/v1/uploads/${upload.id}/commit`)
        upload = (await whole.uploads()).find(({ id }) => id === upload.id)!
      }
      const sum = { accepted: 0, duplicates: 0, conflicts: 0 }
      for (const row of rows) {
        const one = await parts.upload(usageCsv([row]))
        sum.accepted += one.accepted
        sum.duplicates += one.duplicates
        sum.conflicts += one.conflicts
      }
      expect(upload).toMatchObject(sum)
      expect(await whatCounts(api.owner(), whole.organizationId)).toEqual(
        await whatCounts(api.owner(), parts.organizationId),
      )
    }),
    { numRuns: 12, endOnFailure: true },
  )
}, 90_000)
