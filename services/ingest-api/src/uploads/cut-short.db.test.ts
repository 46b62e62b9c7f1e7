import { once } from 'node:events'
import { connect } from 'node:net'
import { newestOnce, openSlowUpload } from '../testing/slow-upload'
import { usageCsv, usageRows } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'

const api = useIngestApi()
const CUT_SHORT = { state: 'failed', accepted: 0, failure: { code: 'body_cut_short' } }
const FORM_HEAD =
  '--b\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\ncontent-type: text/csv\r\n\r\n'

test.each([
  ['few rows, slowly', 50],
  ['many rows, fast', 70_000],
])('a client that goes away after %s leaves nothing behind', async (_what, count) => {
  const client = await api.addClient()
  const file = usageCsv(usageRows(count, 'gone'))
  const slow = openSlowUpload(api.address(), client.key)
  await slow.write(file.slice(0, -10))
  await newestOnce(client, 'processing')
  slow.vanish()
  expect(await newestOnce(client, 'failed')).toMatchObject(CUT_SHORT)
  expect(await client.events()).toEqual([])
  expect(await client.upload(file)).toMatchObject({ rows: count, accepted: count })
})

test('a form whose client goes away leaves nothing behind', async () => {
  const client = await api.addClient()
  const file = usageCsv(usageRows(50, 'form'))
  const slow = openSlowUpload(api.address(), client.key, {
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  })
  await slow.write(`${FORM_HEAD}${file}`)
  await newestOnce(client, 'processing')
  slow.vanish()
  expect(await newestOnce(client, 'failed')).toMatchObject(CUT_SHORT)
  expect(await client.upload(file)).toMatchObject({ accepted: 50 })
})

test.each([
  ['in the middle of the file', ''],
  ['behind the file', '\r\n--b\r\n'],
  ['in its last line', '\r\n--b'],
])('a form that ends %s is refused though the request is whole', async (_where, tail) => {
  const client = await api.addClient()
  const file = usageCsv(usageRows(50, 'form'))
  const problem = await client.refused(`${FORM_HEAD}${file}${tail}`, '', {
    'content-type': 'multipart/form-data; boundary=b',
  })
  expect(problem).toMatchObject({ status: 422, code: 'body_cut_short' })
  expect((await client.uploads())[0]).toMatchObject(CUT_SHORT)
  expect(await client.upload(file)).toMatchObject({ accepted: 50 })
})

test('a connection closed before Content-Length is reached counts as cut short, not as a shorter file', async () => {
  const client = await api.addClient()
  const file = usageCsv(usageRows(50, 'short'))
  const { hostname, port } = new URL(api.address())
  const socket = connect({ host: hostname, port: Number(port) })
  socket.write(
    `POST /v1/uploads HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${client.key}\r\n` +
      `content-type: text/csv\r\ncontent-length: ${file.length + 1}\r\n\r\n${file}`,
  )
  await newestOnce(client, 'processing')
  socket.end()
  socket.resume()
  await once(socket, 'close')
  expect(await newestOnce(client, 'failed')).toMatchObject(CUT_SHORT)
  expect(await client.upload(file)).toMatchObject({ accepted: 50 })
})

test('a connection that says nothing any more is cut, and its upload failed', async () => {
  const client = await api.addClient()
  const idleMs = api.server().timeout
  expect(idleMs).toBe(60_000)
  api.server().setTimeout(300)
  try {
    const slow = openSlowUpload(api.address(), client.key)
    await slow.write(usageCsv(usageRows(50, 'idle')))
    expect(await newestOnce(client, 'failed')).toMatchObject(CUT_SHORT)
    expect(slow.request.destroyed || slow.request.closed).toBe(true)
  } finally {
    api.server().setTimeout(idleMs)
  }
  expect(await client.upload(usageCsv(usageRows(50, 'idle')))).toMatchObject({ accepted: 50 })
})

test('a slow but living upload outlasts the limit of an idle connection', async () => {
  const client = await api.addClient()
  const idleMs = api.server().timeout
  api.server().setTimeout(600)
  try {
    const slow = openSlowUpload(api.address(), client.key)
    const lines = usageCsv(usageRows(12, 'living')).split('\n')
    for (const line of lines.slice(0, -1)) {
      await slow.write(`${line}\n`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    expect(await slow.end()).toMatchObject({ status: 201, body: { accepted: 12 } })
  } finally {
    api.server().setTimeout(idleMs)
  }
})
