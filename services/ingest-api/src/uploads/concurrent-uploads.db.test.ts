import { problemIn, type Upload } from '../testing/ingest-client'
import { countEvents } from '../testing/imbalances.repo'
import { newestOnce, openSlowUpload, until } from '../testing/slow-upload'
import { type UsageRow, usageCsv, usageRows } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'

const api = useIngestApi()
const total = (uploads: readonly Upload[], fate: 'rows' | 'accepted' | 'duplicates') =>
  uploads.reduce((sum, upload) => sum + upload[fate], 0)

/** The same order for the same seed, another one for another. */
function shuffled(rows: readonly UsageRow[], seed: number): UsageRow[] {
  const mixed = [...rows]
  let state = seed
  for (let at = mixed.length - 1; at > 0; at--) {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    const other = state % (at + 1)
    ;[mixed[at], mixed[other]] = [mixed[other]!, mixed[at]!]
  }
  return mixed
}

test('the same file twice at the same moment is counted once, and both are answered', async () => {
  const client = await api.addClient()
  const file = usageCsv(usageRows(5_000, 'twice'))
  const uploads = await Promise.all([client.upload(file), client.upload(file)])
  expect(total(uploads, 'accepted')).toBe(5_000)
  expect(total(uploads, 'duplicates')).toBe(5_000)
  expect(await countEvents(api.owner(), client.organizationId)).toBe(5_000)
})

test('eight files that share rows, each in its own order, end without a deadlock and each row counts once', async () => {
  const client = await api.addClient()
  const rows = usageRows(8_000, 'shared')
  const files = Array.from({ length: 8 }, (_file, at) =>
    usageCsv(shuffled([...rows.slice(at * 500), ...rows.slice(0, at * 250)], at + 1)),
  )
  const uploads = await Promise.all(files.map((file) => client.upload(file)))
  expect(uploads.map((upload) => upload.state)).toEqual(Array(8).fill('committed'))
  expect(uploads.map((upload) => upload.conflicts + upload.rejected)).toEqual(Array(8).fill(0))
  expect(total(uploads, 'accepted')).toBe(8_000)
  expect(total(uploads, 'accepted') + total(uploads, 'duplicates')).toBe(total(uploads, 'rows'))
  expect(await countEvents(api.owner(), client.organizationId)).toBe(8_000)
})

test('files and API events with the same keys at once: each key counts once, nothing is lost', async () => {
  const client = await api.addClient()
  const rows = usageRows(3_000, 'mixed')
  const batches = Array.from({ length: 6 }, (_batch, at) => shuffled(rows, at + 50).slice(0, 1_000))
  const [uploads, answers] = await Promise.all([
    Promise.all([1, 2, 3].map((seed) => client.upload(usageCsv(shuffled(rows, seed))))),
    Promise.all(batches.map((batch) => client.postEvents(batch))),
  ])
  const sent = answers.reduce((sum, answer) => sum + answer.accepted, 0)
  expect(answers.map((answer) => answer.accepted + answer.duplicates)).toEqual(Array(6).fill(1_000))
  expect(total(uploads, 'accepted') + sent).toBe(3_000)
  expect(await countEvents(api.owner(), client.organizationId)).toBe(3_000)
})

test('organizations do not wait for each other, and equal ids of theirs are different events', async () => {
  const clients = await Promise.all([1, 2, 3, 4].map(() => api.addClient()))
  const file = usageCsv(usageRows(2_000, 'ours'))
  const uploads = await Promise.all(clients.map((client) => client.upload(file)))
  expect(uploads.map((upload) => upload.accepted)).toEqual(Array(4).fill(2_000))
})

test('API events go through while an upload of the same keys trickles in; the upload finds them as duplicates', async () => {
  const client = await api.addClient()
  const rows = usageRows(400, 'trickle')
  const slow = openSlowUpload(api.address(), client.key)
  const lines = usageCsv(rows).split('\n')
  await slow.write(`${lines.slice(0, 200).join('\n')}\n`)
  await newestOnce(client, 'processing')

  const sent = await client.postEvents(rows.slice(100, 300))
  expect(sent).toMatchObject({ accepted: 200, duplicates: 0 })
  const answer = await slow.end(lines.slice(200).join('\n'))
  expect(answer).toMatchObject({ status: 201, body: { rows: 400, accepted: 200, duplicates: 200 } })
  expect(await countEvents(api.owner(), client.organizationId)).toBe(400)
})

test('while an upload holds keys directly, an API batch waits or is refused, and nothing is lost', async () => {
  const client = await api.addClient()
  const rows = usageRows(60_000, 'held')
  const file = usageCsv(rows)
  const cut = Math.floor(file.length * 0.9)
  const slow = openSlowUpload(api.address(), client.key)
  await slow.write(file.slice(0, cut))
  await newestOnce(client, 'processing')

  const sending = client.call('POST', '/v1/events', {
    body: JSON.stringify(rows.slice(0, 100)),
    headers: { 'content-type': 'application/json' },
  })
  const uploaded = await slow.end(file.slice(cut))
  expect(uploaded.status).toBe(201)
  const sent = await sending
  if (sent.status === 503) expect(problemIn(sent)).toMatchObject({ code: 'held_by_upload' })
  else expect(sent.status).toBe(201)
  expect(await client.postEvents(rows.slice(0, 100))).toMatchObject({ duplicates: 100 })
  expect(await countEvents(api.owner(), client.organizationId)).toBe(60_000)
})

test('a slow sender keeps no other upload of its organization waiting', async () => {
  const client = await api.addClient()
  const slow = openSlowUpload(api.address(), client.key)
  await slow.write(usageCsv(usageRows(100, 'slow')))
  await newestOnce(client, 'processing')
  const quick = await client.upload(usageCsv(usageRows(3_000, 'quick')))
  expect(quick).toMatchObject({ state: 'committed', accepted: 3_000 })
  expect(await slow.end()).toMatchObject({ status: 201, body: { accepted: 100 } })
})

test('an upload waits for another that is just making the same new customers', async () => {
  const client = await api.addClient()
  const sql = await api.owner().connect()
  const isSomebodyWaiting = async () => {
    const { rows } = await sql.query<{ waiting: number }>(
      `select count(*)::int as waiting from pg_locks l join pg_stat_activity a using (pid)
       where not l.granted and a.datname = current_database()`,
    )
    return rows[0]!.waiting > 0
  }
  try {
    await sql.query('begin')
    await sql.query(`insert into customers (organization_id, id) values ($1, 'c1')`, [
      client.organizationId,
    ])
    const sending = client.upload(usageCsv(usageRows(100, 'named')))
    // Longer than one statement may wait: it gives up and tries again.
    await until(async () => (await isSomebodyWaiting()) || undefined)
    await until(async () => !(await isSomebodyWaiting()) || undefined)
    await sql.query('commit')
    expect(await sending).toMatchObject({ accepted: 100 })
  } finally {
    sql.release()
  }
})
