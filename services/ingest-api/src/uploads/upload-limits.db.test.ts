import { Agent } from 'node:http'
import { gzipSync } from 'node:zlib'
import { openSlowUpload, type SlowUpload, until } from '../testing/slow-upload'
import { usageCsv, usageRows } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'

const MIB = 1024 ** 2
const api = useIngestApi({
  limits: { fileBytesMax: 2 * MIB, textBytesMax: 24 * MIB, ratioMax: 100 },
})
const HEADER = 'customer_id,event_type,event_id,event_date'
const ROW = 'c1,call,e1,2025-10-01'

/** Blanks, mostly: they pack well, but not as well as a bomb. */
const noise = (seed: number) => ' '.repeat(640) + ' '.repeat((seed * 7919) % 61)

/** One row at fault between two good ones: what is refused, and on which line. */
async function refusedRow(header: string, row: string, good: string) {
  const client = await api.addClient()
  const file = [header, good.replace('e1', 'before'), row, good.replace('e1', 'after')].join('\n')
  const upload = await client.upload(file)
  expect(upload).toMatchObject({ rows: 3, accepted: 2, rejected: 1 })
  const [reject] = await client.rejects(upload)
  return { line: reject?.line, column: reject?.column, reason: reject?.reason }
}

test('a file larger than the limit is refused, and nothing of it counts', async () => {
  const client = await api.addClient()
  const plain = usageCsv(usageRows(50_000, 'large'))
  expect(await client.refused(plain)).toMatchObject({ status: 413, code: 'file_too_large' })
  expect(await client.events()).toEqual([])
})

test.each([
  ['as the body', 'text/csv', ''],
  [
    'in a form',
    'multipart/form-data; boundary=b',
    '--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n',
  ],
])(
  'who sends on after the refusal of a file %s gets the answer, and may ask again',
  async (_how, type, head) => {
    const client = await api.addClient()
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const slow = openSlowUpload(api.address(), client.key, {
      headers: { 'content-type': type },
      agent,
    })
    await slow.write(`${head}${HEADER}\n`)
    const rows = `${ROW}\n`.repeat(50_000)
    for (let sent = 0; sent < 20 * MIB; sent += rows.length) await slow.write(rows)
    expect(await slow.end()).toMatchObject({ status: 413, body: { code: 'file_too_large' } })

    const next = openSlowUpload(api.address(), client.key, { agent })
    expect(await next.end(`${HEADER}\n${ROW}\n`)).toMatchObject({ status: 201 })
    agent.destroy()
  },
)

test('a file that is too large once gzip is undone is refused', async () => {
  const rows = Array.from({ length: 40_000 }, (_row, at) => `c1,call,e${at},2025-10-01${noise(at)}`)
  const packed = gzipSync(`${HEADER}\n${rows.join('\n')}`, { level: 1 })
  expect(packed.length).toBeLessThan(2 * MIB)
  expect(packed.length * 100).toBeGreaterThan(24 * MIB)
  const problem = await api.client().refused(packed)
  expect(problem).toMatchObject({ status: 413, code: 'text_too_large' })
})

test('a gzip bomb is refused by how much it grows', async () => {
  const bomb = gzipSync(`${HEADER}\n${`${ROW}\n`.repeat(900_000)}`)
  const problem = await api.client().refused(bomb)
  expect(problem).toMatchObject({ status: 413, code: 'gzip_ratio_too_high' })
})

test('a small file may grow much: ratio alone is no bomb', async () => {
  const client = await api.addClient()
  const packed = gzipSync(`${HEADER}\n${`${ROW}\n`.repeat(20_000)}`)
  expect(packed.length * 100).toBeLessThan(20_000 * ROW.length)
  expect(await client.upload(packed)).toMatchObject({ accepted: 1, duplicates: 19_999 })
})

test('a row of more than 1 MiB is rejected; the next one is read', async () => {
  const long = `c1,call,"${'x'.repeat(MIB)}",2025-10-01`
  expect(await refusedRow(HEADER, long, ROW)).toMatchObject({ line: 3, reason: 'row_too_long' })
})

test('200 columns are read, 201 are refused', async () => {
  const client = await api.addClient()
  const header = (count: number) =>
    [HEADER, ...Array.from({ length: count - 4 }, (_c, at) => `p${at}`)].join(',')
  const row = (count: number) => `${ROW}${','.repeat(count - 4)}`
  expect(await client.upload(`${header(200)}\n${row(200)}`)).toMatchObject({ accepted: 1 })
  expect(await client.refused(`${header(201)}\n${row(201)}`)).toMatchObject({
    status: 422,
    code: 'too_many_columns',
  })
})

test('an event has 64 properties at most', async () => {
  const names = Array.from({ length: 65 }, (_c, at) => `p${at}`)
  const header = [HEADER, ...names].join(',')
  const good = [ROW, ...names.map((_name, at) => (at < 64 ? 'v' : ''))].join(',')
  const bad = [ROW, ...names.map(() => 'v')].join(',')
  expect(await refusedRow(header, bad, good)).toMatchObject({
    line: 3,
    reason: 'too_many_properties',
  })
})

test.each([
  ['customer_id', `${'c'.repeat(256)},call,e1,2025-10-01,`, 'customer_id_too_long'],
  ['event_type', `c1,${'t'.repeat(256)},e1,2025-10-01,`, 'event_type_too_long'],
  ['event_id', `c1,call,${'ü'.repeat(128)},2025-10-01,`, 'event_id_too_long'],
  ['note', `c1,call,e1,2025-10-01,${'n'.repeat(8 * 1024 + 1)}`, 'property_too_long'],
])('a %s that is too long is rejected', async (column, row, reason) => {
  expect(await refusedRow(`${HEADER},note`, row, `${ROW},`)).toEqual({ line: 3, column, reason })
})

test('fields of exactly the limit are stored', async () => {
  const client = await api.addClient()
  const row = [
    'c'.repeat(255),
    't'.repeat(255),
    'e'.repeat(255),
    '2025-10-01',
    'n'.repeat(8 * 1024),
  ]
  expect(await client.upload(`${HEADER},note\n${row.join(',')}`)).toMatchObject({ accepted: 1 })
  const [event] = await client.events()
  expect([event?.customer_id, event?.event_type, event?.event_id].map((id) => id?.length)).toEqual([
    255, 255, 255,
  ])
})

test('a ninth upload at the same moment is asked to come back, and then it is let in', async () => {
  const client = await api.addClient()
  const open: SlowUpload[] = []
  for (let at = 0; at < 8; at++) {
    const slow = openSlowUpload(api.address(), client.key)
    await slow.write(`${HEADER}\n`)
    open.push(slow)
  }
  await until(async () => {
    const uploads = await client.uploads()
    return uploads.filter((upload) => upload.state === 'processing').length === 8 || undefined
  })

  const problem = await client.refused(`${HEADER}\nc1,call,ninth,2025-10-01`)
  expect(problem).toMatchObject({ status: 503, code: 'too_many_uploads', retryAfter: '5' })
  // What is small goes on meanwhile.
  const [sent] = (
    await client.postEvents([
      { customer_id: 'c1', event_type: 'call', event_id: 'api', event_date: '2025-10-01' },
    ])
  ).results
  expect(sent?.status).toBe('accepted')

  for (const [at, slow] of open.entries()) {
    const answer = await slow.end(`c1,call,slow-${at},2025-10-01\n`)
    expect(answer).toMatchObject({ status: 201, body: { accepted: 1 } })
  }
  expect(await client.upload(`${HEADER}\nc1,call,ninth,2025-10-01`)).toMatchObject({ accepted: 1 })
  expect(await client.events()).toHaveLength(10)
})

test('of rejected rows the first 100,000 are kept, and the others are counted', async () => {
  const client = await api.addClient()
  const upload = await client.upload(`${HEADER}\n${'c,,,\n'.repeat(100_050)}${ROW}\n`)
  expect(upload).toMatchObject({ rows: 100_051, accepted: 1, rejected: 100_050 })
  const { rows } = await api.owner().query<{ kept: number; last: number }>(
    `select count(*)::int as kept, max(line) as last from upload_rejects r
       join uploads u on u.upload_no = r.upload_no where u.id = $1`,
    [upload.id],
  )
  expect(rows).toEqual([{ kept: 100_000, last: 100_001 }])
})
