import { countEvents, isAllCounted, whatCounts } from '../testing/imbalances.repo'
import { type Answer, type IngestClient, problemIn, type Upload } from '../testing/ingest-client'
import { until } from '../testing/slow-upload'
import { usageCsv, usageRows } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'
import { UploadAnswer } from './upload.schema'

const api = useIngestApi()
const HEADER = 'customer_id,event_type,event_id,event_date,quantity'
const says = (quantity: string) => `${HEADER}\nc1,call,e1,2025-10-01,${quantity}\n`

const revert = (client: IngestClient, { id }: Upload) =>
  client.call('POST', `/v1/uploads/${id}/revert`)
const accept = (client: IngestClient, { id }: Upload, line = 2) =>
  client.call('POST', `/v1/uploads/${id}/conflicts/${line}/accept`)

function done(answer: Answer): Upload {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 })
  return UploadAnswer.parse(answer.body)
}

/** The fates of uploads now: accepted, duplicates, conflicts. */
async function fatesOf(client: IngestClient, ...uploads: Upload[]) {
  const now = new Map((await client.uploads()).map((upload) => [upload.id, upload]))
  return uploads.map(({ id }) => {
    const { accepted, duplicates, conflicts } = now.get(id)!
    return [accepted, duplicates, conflicts]
  })
}

async function quantities(client: IngestClient) {
  return (await client.events()).map((event) => [event.event_id, event.quantity])
}

async function auditOf(upload: Upload) {
  const { rows } = await api
    .owner()
    .query<{ action: string; before: unknown; after: unknown }>(
      'select action, before, after from audit_log where object_id = $1 order by audit_no',
      [upload.id],
    )
  return rows
}

const ledgerOf = async (client: IngestClient) => (await client.call('GET', '/v1/ledger')).body

test('a reverted upload leaves nothing that counts, says so again when asked again, and can be sent again', async () => {
  const client = await api.addClient()
  const file = usageCsv(usageRows(500, 'once'))
  const upload = await client.upload(file)
  const reverted = done(await revert(client, upload))
  expect(reverted).toMatchObject({ state: 'reverted', rows: 500, accepted: 500 })
  expect(await whatCounts(api.owner(), client.organizationId)).toEqual({ events: [], usage: [] })
  expect(done(await revert(client, upload))).toEqual(reverted)
  expect(await auditOf(upload)).toEqual([
    {
      action: 'upload.reverted',
      before: { state: 'committed' },
      after: { state: 'reverted', accepted: 500 },
    },
  ])
  expect(await client.upload(file)).toMatchObject({ accepted: 500, duplicates: 0 })
})

test('an upload reverted twice at the same moment is withdrawn once', async () => {
  const client = await api.addClient()
  const upload = await client.upload(usageCsv(usageRows(3_000, 'twice')))
  const answers = await Promise.all([revert(client, upload), revert(client, upload)])
  expect(done(answers[0])).toEqual(done(answers[1]))
  expect(await auditOf(upload)).toHaveLength(1)
  expect(await countEvents(api.owner(), client.organizationId)).toBe(0)
})

test('uploads of the same rows reverted, sent and corrected at the same moment: each call has its effect', async () => {
  const client = await api.addClient()
  const rows = usageRows(2_000, 'crowd')
  const file = usageCsv(rows)
  const other = usageCsv(rows.map((row) => ({ ...row, quantity: '9' })))
  const uploads = [
    await client.upload(file),
    await client.upload(other),
    await client.upload(file),
    await client.upload(other),
  ]
  const answers = await Promise.all([
    revert(client, uploads[0]!),
    accept(client, uploads[3]!, 5),
    revert(client, uploads[1]!),
    client.send(file),
    accept(client, uploads[3]!, 9),
    revert(client, uploads[2]!),
  ])
  // Once the first upload is gone, a line may be no conflict any more.
  for (const answer of answers) expect([200, 201, 404]).toContain(answer.status)
  expect(await countEvents(api.owner(), client.organizationId)).toBe(2_000)
  expect(await ledgerOf(client)).toMatchObject({ balanced: true })
})

test('only a committed upload can be reverted', async () => {
  const client = await api.addClient()
  const preview = await client.upload(says('1'), 'mode=preview')
  await client.refused('nonsense', 'strict=true')
  const failed = (await client.uploads())[0]!
  expect(failed.state).toBe('failed')
  for (const upload of [preview, failed]) {
    expect(problemIn(await revert(client, upload))).toMatchObject({
      status: 409,
      code: 'upload_not_committed',
    })
  }
  expect(await client.call('POST', `/v1/uploads/${failed.id}/commit`)).toMatchObject({
    status: 409,
  })
})

test('an event that other uploads brought too is then the first one’s, and the others are compared with it', async () => {
  const client = await api.addClient()
  const uploads: Upload[] = []
  for (const quantity of ['1', '2', '1.0', '2.00', '1'])
    uploads.push(await client.upload(says(quantity)))
  expect(await fatesOf(client, ...uploads)).toEqual([
    [1, 0, 0],
    [0, 0, 1],
    [0, 1, 0],
    [0, 0, 1],
    [0, 1, 0],
  ])
  done(await revert(client, uploads[0]!))
  expect(await quantities(client)).toEqual([['e1', '2']])
  expect(await fatesOf(client, ...uploads.slice(1))).toEqual([
    [1, 0, 0],
    [0, 0, 1],
    [0, 1, 0],
    [0, 0, 1],
  ])
  expect(await client.conflicts(uploads[2]!)).toMatchObject([
    { stored: { quantity: '2', upload_id: uploads[1]!.id, line: 2 }, sent: { quantity: '1' } },
  ])
  done(await revert(client, uploads[1]!))
  expect(await quantities(client)).toEqual([['e1', '1']])
  expect(await fatesOf(client, ...uploads.slice(2))).toEqual([
    [1, 0, 0],
    [0, 0, 1],
    [0, 1, 0],
  ])
})

test('an event that was sent over the API too stays when the upload goes', async () => {
  const client = await api.addClient()
  const upload = await client.upload(says('1'))
  const event = { customer_id: 'c1', event_type: 'call', event_date: '2025-10-01', event_id: 'e1' }
  expect(await client.postEvents([event])).toMatchObject({ duplicates: 1 })
  done(await revert(client, upload))
  expect(await quantities(client)).toEqual([['e1', '1']])
  expect(await ledgerOf(client)).toMatchObject({
    balanced: true,
    events: { from_uploads: 0, from_api: 1 },
  })
})

test('an accepted conflict counts instead of what was stored, once, with both values in the audit log', async () => {
  const client = await api.addClient()
  const [first, second] = [await client.upload(says('1')), await client.upload(says('2'))]
  const accepted = done(await accept(client, second))
  expect(accepted).toMatchObject({ accepted: 1, conflicts: 0 })
  expect(done(await accept(client, second))).toEqual(accepted)
  expect(await quantities(client)).toEqual([['e1', '2']])
  expect(await fatesOf(client, first, second)).toEqual([
    [0, 0, 1],
    [1, 0, 0],
  ])
  expect(await client.conflicts(first)).toMatchObject([
    { stored: { quantity: '2', upload_id: second.id }, sent: { quantity: '1' } },
  ])
  expect(await auditOf(second)).toMatchObject([
    { action: 'conflict.accepted', before: { quantity: '1' }, after: { line: 2, quantity: '2' } },
  ])
  expect(problemIn(await accept(client, second, 3))).toMatchObject({
    status: 404,
    code: 'conflict_not_found',
  })
})

test.each([
  ['the corrected upload', 0, '2'],
  ['the correcting upload', 1, '1'],
])('after a correction %s can be reverted: the other’s value counts', async (_which, at, left) => {
  const client = await api.addClient()
  const uploads = [await client.upload(says('1')), await client.upload(says('2'))]
  done(await accept(client, uploads[1]!))
  done(await revert(client, uploads[at]!))
  expect(await quantities(client)).toEqual([['e1', left]])
  expect(await fatesOf(client, uploads[1 - at]!)).toEqual([[1, 0, 0]])
})

test('corrections are taken back one after the other, the last one first', async () => {
  const client = await api.addClient()
  const uploads = [
    await client.upload(says('1')),
    await client.upload(says('2')),
    await client.upload(says('3')),
  ]
  done(await accept(client, uploads[2]!))
  done(await accept(client, uploads[1]!))
  const counts = []
  for (const upload of [uploads[1]!, uploads[2]!]) {
    counts.push(await quantities(client))
    done(await revert(client, upload))
  }
  counts.push(await quantities(client))
  expect(counts).toEqual([[['e1', '2']], [['e1', '3']], [['e1', '1']]])
})

test('the ledger says where a row was lost that nobody withdrew', async () => {
  const client = await api.addClient()
  await client.upload(says('5'))
  expect(await ledgerOf(client)).toMatchObject({
    balanced: true,
    periods: [{ period: '2025-10', quantity_in_events: '5', quantity_unbilled: '5' }],
  })
  const sql = await api.owner().connect()
  try {
    // Once usage is counted it no longer follows the events by itself.
    await until(async () => (await isAllCounted(sql)) || undefined)
    await sql.query(
      `create temp table lost as select * from events where customer_no in (
         select customer_no from customers where organization_id = $1)`,
      [client.organizationId],
    )
    await sql.query('delete from events using lost where events.customer_no = lost.customer_no')
    expect(await ledgerOf(client)).toMatchObject({
      balanced: false,
      differences: [
        '1 rows were accepted, but 0 events are stored.',
        '2025-10: events hold 0, usage holds 5.',
      ],
    })
  } finally {
    await sql.query('insert into events select * from lost')
    await sql.query('drop table lost')
    sql.release()
  }
  expect(await ledgerOf(client)).toMatchObject({ balanced: true })
})
