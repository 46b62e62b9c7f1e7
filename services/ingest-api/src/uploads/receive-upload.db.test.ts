import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { problemIn } from '../testing/ingest-client'
import { usageCsv, usageRows } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'
import { UploadAnswer } from './upload.schema'

const api = useIngestApi()
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')

function form(files: readonly { name: string; bytes: string | Buffer; field?: string }[]) {
  const body = new FormData()
  for (const { name, bytes, field = 'file' } of files) body.append(field, new Blob([bytes]), name)
  return body
}

test('a file in a form and the same file as the body are stored alike, with the hash of the bytes as sent', async () => {
  const client = await api.addClient()
  const file = usageCsv(usageRows(25, 'form'))
  const answer = await client.call('POST', '/v1/uploads', {
    body: form([{ name: 'usage october.csv', bytes: file }]),
  })
  expect(answer.status).toBe(201)
  expect(UploadAnswer.parse(answer.body)).toMatchObject({
    filename: 'usage october.csv',
    sha256: sha256(file),
    bytes: Buffer.byteLength(file),
    state: 'committed',
    rows: 25,
    accepted: 25,
    duplicates: 0,
    conflicts: 0,
    rejected: 0,
  })
  const raw = await client.upload(file)
  expect(raw).toMatchObject({ sha256: sha256(file), rows: 25, accepted: 0, duplicates: 25 })
  expect(await client.events()).toHaveLength(25)
})

test('gzip is undone by Content-Encoding, by the name of the file and by the type, and hashed as sent', async () => {
  const client = await api.addClient()
  const file = usageCsv(usageRows(10, 'gz'))
  const packed = gzipSync(file)
  const encoded = await client.upload(packed, '', { 'content-encoding': 'gzip' })
  expect(encoded).toMatchObject({ accepted: 10, sha256: sha256(packed), bytes: packed.length })

  const named = await client.call('POST', '/v1/uploads', {
    body: form([{ name: 'usage.csv.gz', bytes: packed }]),
  })
  expect(UploadAnswer.parse(named.body)).toMatchObject({
    filename: 'usage.csv.gz',
    duplicates: 10,
    sha256: sha256(packed),
  })
  const typed = await client.upload(packed, '', { 'content-type': 'application/gzip' })
  expect(typed).toMatchObject({ duplicates: 10 })
})

test('two gzip files one after the other are one file, as gunzip has it', async () => {
  const client = await api.addClient()
  const [first, second] = [usageRows(3, 'a'), usageRows(4, 'b')]
  const rest = usageCsv(second).split('\n').slice(1).join('\n')
  const packed = Buffer.concat([gzipSync(usageCsv(first)), gzipSync(rest)])
  expect(await client.upload(packed)).toMatchObject({ rows: 7, accepted: 7 })
})

test.each([
  ['cut short', (packed: Buffer) => packed.subarray(0, packed.length - 20)],
  ['changed in the middle', (packed: Buffer) => Buffer.from(packed).fill(0, 200, 260)],
  ['not gzip at all', () => Buffer.from('customer_id,event_type,event_id,event_date\n')],
])('a gzip file that is %s is refused and nothing of it counts', async (_how, damage) => {
  const client = await api.addClient()
  const packed = gzipSync(usageCsv(usageRows(5_000, 'broken')))
  const headers = { 'content-encoding': 'gzip' }
  const problem = await client.refused(damage(packed), '', headers)
  expect(problem).toMatchObject({ status: 422, code: 'gzip_broken' })
  expect(await client.events()).toEqual([])
  expect((await client.uploads())[0]).toMatchObject({
    state: 'failed',
    failure: { code: 'gzip_broken' },
  })
  expect(await client.upload(packed, '', headers)).toMatchObject({ accepted: 5_000 })
})

test('a form without a file, with two files or with another field is told what to send', async () => {
  const client = await api.addClient()
  const file = usageCsv(usageRows(2, 'two'))
  const empty = new FormData()
  empty.append('note', 'no file here')
  for (const body of [empty, form([{ name: 'a.csv', bytes: file, field: 'document' }])]) {
    const problem = problemIn(await client.call('POST', '/v1/uploads', { body }))
    expect(problem).toMatchObject({ status: 422, code: 'file_missing' })
  }
  const two = form([
    { name: 'a.csv', bytes: file },
    { name: 'b.csv', bytes: usageCsv(usageRows(2, 'more')) },
  ])
  const problem = problemIn(await client.call('POST', '/v1/uploads', { body: two }))
  expect(problem).toMatchObject({ status: 422, code: 'one_file_only' })
  expect(await client.events()).toEqual([])
  expect((await client.uploads())[0]).toMatchObject({ state: 'failed' })
})

test('what is wrong behind the file refuses the file too', async () => {
  const client = await api.addClient()
  const body = form([{ name: 'a.csv', bytes: usageCsv(usageRows(2, 'behind')) }])
  body.append('note', 'n'.repeat(20_000))
  const problem = problemIn(await client.call('POST', '/v1/uploads', { body }))
  expect(problem).toMatchObject({ status: 422, code: 'invalid_form' })
  expect(await client.events()).toEqual([])
})

test('other fields of a form, before and behind the file, do no harm', async () => {
  const client = await api.addClient()
  const body = new FormData()
  body.append('note', 'before')
  body.append('file', new Blob([usageCsv(usageRows(2, 'fields'))]), 'a.csv')
  body.append('note', 'behind')
  const answer = await client.call('POST', '/v1/uploads', { body })
  expect(answer).toMatchObject({ status: 201, body: { accepted: 2 } })
})

test('a body that is no form at all under a form’s name is refused, not broken', async () => {
  const headers = { 'content-type': 'multipart/form-data' }
  const problem = await api.client().refused('a,b,c\n', '', headers)
  expect(problem).toMatchObject({ status: 422, code: 'invalid_form' })
})

test('a type that is not read here is named', async () => {
  const problem = await api.client().refused('<a/>', '', { 'content-type': 'application/xml' })
  expect(problem).toMatchObject({ status: 415, code: 'unsupported_content_type' })
  expect(problem.detail).toContain('application/xml')
})

test.each([
  ['mode=maybe', 'mode'],
  ['strict=yes', 'strict'],
  ['event_id=invent', 'event_id'],
  ['delimiter=x', 'delimiter'],
  ['timezone=Mars/Olympus', 'timezone'],
  ['future=maybe', 'future'],
  ['columns=customer_id', 'columns'],
])('the option %s is refused by name before anything is stored', async (query, field) => {
  const client = await api.addClient()
  const problem = await client.refused(usageCsv(usageRows(1, 'q')), query)
  expect(problem.status).toBe(422)
  expect(problem.errors.map((error) => error.field)).toContain(field)
  expect(await client.uploads()).toEqual([])
})

test('an empty file and a file of blank lines are refused', async () => {
  const client = await api.addClient()
  for (const file of ['', '\n\n\r\n', gzipSync('')]) {
    expect(await client.refused(file)).toMatchObject({ status: 422, code: 'empty_file' })
  }
  expect((await client.uploads()).map((upload) => upload.state)).toEqual(Array(3).fill('failed'))
})

test('a header without rows is a file of no rows', async () => {
  expect(await api.client().upload(usageCsv([]))).toMatchObject({ state: 'committed', rows: 0 })
})

test('a file that lacks columns is told which', async () => {
  const problem = await api.client().refused('customer_id,when\nc1,2025-10-01\n')
  expect(problem).toMatchObject({ status: 422, code: 'missing_columns' })
  expect(problem.errors.map((error) => error.field).sort()).toEqual([
    'event_date',
    'event_id',
    'event_type',
  ])
})
