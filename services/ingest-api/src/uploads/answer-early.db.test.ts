import { waitForStoring } from '../storing/store.repo'
import { UploadAnswer } from './upload.schema'
import type { IngestClient } from '../testing/ingest-client'
import { newestOnce, openSlowUpload, until } from '../testing/slow-upload'
import { usageCsv, usageRows } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'

const api = useIngestApi()
const ROWS = 20_000
const early = { prefer: 'respond-async' }

const show = async (client: IngestClient, id: string) =>
  UploadAnswer.parse((await client.call('GET', `/v1/uploads/${id}`)).body)

test('asked to answer early, it says 202 when every row is safe, and ends committed', async () => {
  const client = await api.addClient()
  const file = usageCsv(usageRows(ROWS, 'early'))
  const answer = await client.send(file, '', early)
  expect(answer.status).toBe(202)
  const upload = UploadAnswer.parse(answer.body)
  expect(answer.headers.get('location')).toBe(`/v1/uploads/${upload.id}`)
  expect(upload).toMatchObject({
    state: 'processing',
    rows: ROWS,
    progress: { rows: ROWS, bytes: file.length, bytes_expected: file.length },
  })
  const over = await newestOnce(client, 'committed')
  expect(over).toMatchObject({ id: upload.id, rows: ROWS, accepted: ROWS, sha256: upload.sha256 })
  expect(over).not.toHaveProperty('progress')
})

test('rows and bytes show while a file is arriving', async () => {
  const client = await api.addClient()
  const lines = usageCsv(usageRows(2_000, 'arriving'))
  const slow = openSlowUpload(api.address(), client.key, { headers: early })
  await slow.write(lines)
  const { id } = await newestOnce(client, 'processing')
  let more = 0
  const seen = await until(async () => {
    // Progress is noted with the bytes that come.
    await slow.write(usageCsv(usageRows(1, `more-${more++}`)).split('\n')[1]! + '\n')
    const { progress } = await show(client, id)
    return progress && progress.rows >= 2_000 ? progress : undefined
  })
  expect(seen.bytes).toBeGreaterThanOrEqual(lines.length)
  expect(seen.bytes_expected).toBeNull()
  expect(await slow.end()).toMatchObject({ status: 202 })
  expect(await newestOnce(client, 'committed')).toMatchObject({ accepted: 2_000 + more })
})

test('an upload that was answered early waits for the database and goes on when its connection is lost', async () => {
  const client = await api.addClient()
  const sql = await api.owner().connect()
  try {
    await sql.query('begin')
    await waitForStoring(sql, client.organizationId)
    const answer = await client.send(usageCsv(usageRows(300, 'ended')), '', early)
    expect(answer.status).toBe(202)
    await until(async () => {
      const { rowCount } = await sql.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'advisory'`,
      )
      return rowCount === 0 ? undefined : true
    })
  } finally {
    // Ends the session, and the lock with it.
    sql.release(true)
  }
  expect(await newestOnce(client, 'committed')).toMatchObject({ accepted: 300, rows: 300 })
})

test('a preview asked to answer early ends previewed, with its effects', async () => {
  const client = await api.addClient()
  const answer = await client.send(usageCsv(usageRows(100, 'look')), 'mode=preview', early)
  expect(answer.status).toBe(202)
  const preview = await newestOnce(client, 'previewed')
  expect(preview).toMatchObject({ accepted: 100 })
  const effects = await client.call('GET', `/v1/uploads/${preview.id}/preview`)
  expect((effects.body as { data: unknown[] }).data).toHaveLength(10)
})

test('what refuses a file refuses it at once, also when asked to answer early', async () => {
  const client = await api.addClient()
  expect(await client.refused('customer_id;event_date\n', '', early)).toMatchObject({
    status: 422,
    code: 'missing_columns',
  })
  const strict = await client.refused(usageCsv(usageRows(3, 'x')) + 'short\n', 'strict=true', early)
  expect(strict).toMatchObject({ status: 422, code: 'rows_rejected' })
})
