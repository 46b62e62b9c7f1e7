import { createLogger, inTransaction } from '@billtrail/platform'
import { waitForStoring } from '../storing/store.repo'
import { countEvents } from '../testing/imbalances.repo'
import { until } from '../testing/slow-upload'
import { type UsageRow, usageCsv, usageRows } from '../testing/usage-csv'
import { ANY_KEY_BYTES, useIngestApi } from '../testing/use-ingest-api'
import { createUsageCounter } from '../uploads/count-usage'
import { sweepUploads } from '../uploads/sweep-uploads'
import { findKeyFilter, leaveFullSegment, makeKeyFilter, segmentsOf } from './segments.repo'
import { createSegments } from './create-segments'

/** Every upload that stores something leaves its segment. */
const api = useIngestApi({ keyBytesMax: ANY_KEY_BYTES })
const logger = createLogger({ service: 'ingest-api', level: 'silent' })

const spelled = (row: UsageRow, quantity: string): UsageRow => ({ ...row, quantity })

test('what a sealed segment holds is known wherever it is sent again, by file or by call', async () => {
  const client = await api.addClient()
  const rows = usageRows(3_000, 'sealed')
  await client.upload(usageCsv(rows.slice(0, 1_000)))
  await client.upload(usageCsv(rows.slice(1_000, 2_000)))
  const { open, sealed } = await segmentsOf(api.owner(), client.organizationId)
  expect(sealed.length).toBeGreaterThanOrEqual(2)
  expect(Math.max(...sealed)).toBeLessThan(open)

  const changed = rows.slice(0, 2_000).map((row, at) => (at % 100 === 0 ? spelled(row, '9') : row))
  expect(await client.upload(usageCsv([...changed, ...rows.slice(2_000)]))).toMatchObject({
    accepted: 1_000,
    duplicates: 1_980,
    conflicts: 20,
  })
  expect(await client.postEvents(changed.slice(500, 1_500))).toMatchObject({
    accepted: 0,
    duplicates: 990,
    conflicts: 10,
  })
  expect(await countEvents(api.owner(), client.organizationId)).toBe(3_000)
})

test('files and calls with the same keys at once, while segments are left: each key counts once', async () => {
  const client = await api.addClient()
  const rows = usageRows(1_200, 'at once')
  const parts = [0, 200, 400, 600].map((from) => rows.slice(from, from + 600))
  const [files, calls] = await Promise.all([
    Promise.all(parts.map((part) => client.upload(usageCsv(part)))),
    Promise.all(parts.toReversed().map((part) => client.postEvents(part))),
  ])
  const accepted = [...files, ...calls].reduce((sum, answer) => sum + answer.accepted, 0)
  expect(accepted).toBe(1_200)
  expect([...files, ...calls].map((one) => one.conflicts + one.rejected)).toEqual(Array(8).fill(0))
  expect(await countEvents(api.owner(), client.organizationId)).toBe(1_200)
})

test('a call that arrives while its organization leaves a segment finds what was stored there until then', async () => {
  const client = await api.addClient()
  const [first, second] = usageRows(2, 'leaving')
  await client.postEvents([first])
  const { open: left } = await segmentsOf(api.owner(), client.organizationId)

  const sent = await inTransaction(api.owner(), async (sql) => {
    await waitForStoring(sql, client.organizationId)
    expect(await leaveFullSegment(sql, client.organizationId, 0)).toBe(left)
    const answer = client.postEvents([first, second])
    await until(async () => {
      const { rows } = await api
        .owner()
        .query(
          `select from pg_locks where locktype = 'advisory' and classid = 84205 and not granted`,
        )
      return rows.length > 0 || undefined
    })
    // In a box, so that the transaction does not wait for it.
    return { answer }
  })
  expect(await sent.answer).toMatchObject({ accepted: 1, duplicates: 1 })
  const { rows } = await api.owner().query(
    `select segment_no, count(*)::int as events from events e join customers c on c.customer_no = e.customer_no
     where c.organization_id = $1 group by 1 order by 1`,
    [client.organizationId],
  )
  const { open } = await segmentsOf(api.owner(), client.organizationId)
  expect(rows).toEqual([
    { segment_no: left, events: 1 },
    { segment_no: open, events: 1 },
  ])
})

test('a filter that nobody has made yet is made by the file that needs it', async () => {
  const client = await api.addClient()
  const file = usageCsv(usageRows(500, 'no filter'))
  await client.upload(file)
  const filters = async (): Promise<(number | null)[]> => {
    const { rows } = await api.owner().query<{ bytes: number | null }>(
      `select length(key_filter) as bytes from event_segments where organization_id = $1 and not is_open
       order by segment_no`,
      [client.organizationId],
    )
    return rows.map((row) => row.bytes)
  }
  await until(async () => (await filters()).every((bytes) => bytes !== null) || undefined)
  await api
    .owner()
    .query('update event_segments set key_filter = null where organization_id = $1', [
      client.organizationId,
    ])
  // Another process, which remembers no filter.
  const segments = createSegments({ pool: api.owner(), logger })
  await segments.makeFilters()
  expect(await filters()).toEqual([expect.any(Number)])
  expect(await client.upload(file)).toMatchObject({ accepted: 0, duplicates: 500 })
})

test('a filter is read back as it was made', async () => {
  const client = await api.addClient()
  await client.upload(usageCsv(usageRows(2_000, 'read back')))
  const { sealed } = await segmentsOf(api.owner(), client.organizationId)
  const segment = { organizationId: client.organizationId, segmentNo: sealed.at(-1)! }
  const sql = await api.owner().connect()
  try {
    const made = await makeKeyFilter(sql, segment, 10)
    const set = made.words.reduce((sum, word) => sum + (word === 0 ? 0 : 1), 0)
    expect(set).toBeGreaterThan(100)
    expect(await findKeyFilter(sql, segment)).toEqual(made)
  } finally {
    sql.release(true)
  }
})

test('an organization that sends no files leaves its full segment all the same', async () => {
  const client = await api.addClient()
  await client.postEvents(usageRows(100, 'no files'))
  const before = await segmentsOf(api.owner(), client.organizationId)
  const uploadPool = api.owner()
  const counter = createUsageCounter({ uploadPool, logger })
  const segments = createSegments({
    pool: uploadPool,
    logger,
    keyBytesMax: ANY_KEY_BYTES,
  })
  const stop = sweepUploads({ pool: uploadPool, uploadPool, segments, counter, logger })
  const after = await until(async () => {
    const now = await segmentsOf(uploadPool, client.organizationId)
    return now.open === before.open ? undefined : now
  })
  stop()
  counter.stop()
  expect(after.sealed).toEqual([...before.sealed, before.open])
  expect(await client.postEvents(usageRows(101, 'no files'))).toMatchObject({
    accepted: 1,
    duplicates: 100,
  })
})

test('a segment is left only when it is full, and organizations share those that are not', async () => {
  const [one, other] = [await api.addClient(), await api.addClient()]
  const sql = api.owner()
  const openOf = async (id: string) => (await segmentsOf(sql, id)).open
  const shared = await openOf(one.organizationId)
  expect(await openOf(other.organizationId)).toBe(shared)
  const room = 1024 ** 3
  expect(await leaveFullSegment(sql, one.organizationId, room)).toBeUndefined()
  expect(await leaveFullSegment(sql, one.organizationId, 0)).toBe(shared)
  expect(await leaveFullSegment(sql, other.organizationId, 0)).toBe(shared)
  expect(await openOf(other.organizationId)).toBeGreaterThan(shared)
})
