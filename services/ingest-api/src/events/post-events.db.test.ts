import { problemIn } from '../testing/ingest-client'
import { usageCsv, usageRows } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'
import { PostEventsAnswer } from './event.schema'

const api = useIngestApi()
const EVENT = {
  customer_id: 'c1',
  event_type: 'call',
  event_id: 'e1',
  event_date: '2025-10-01T00:00:00Z',
}

async function send(client: ReturnType<typeof api.client>, body: string | Buffer, type: string) {
  return client.call('POST', '/v1/events', { body, headers: { 'content-type': type } })
}

test('one event, an array and NDJSON are stored alike', async () => {
  const client = await api.addClient()
  expect(await client.postEvents(EVENT)).toEqual({
    accepted: 1,
    duplicates: 0,
    conflicts: 0,
    rejected: 0,
    results: [{ index: 0, status: 'accepted', customer_id: 'c1', event_id: 'e1' }],
  })
  expect(await client.postEvents([EVENT, { ...EVENT, event_id: 'e2' }])).toMatchObject({
    accepted: 1,
    duplicates: 1,
    results: [{ status: 'duplicate' }, { status: 'accepted' }],
  })
  const lines = [JSON.stringify(EVENT), '', JSON.stringify({ ...EVENT, event_id: 'e3' }), '{"a":']
  const answer = await send(client, lines.join('\r\n'), 'application/x-ndjson')
  expect(answer.status).toBe(201)
  expect(PostEventsAnswer.parse(answer.body)).toMatchObject({
    accepted: 1,
    duplicates: 1,
    rejected: 1,
    results: [
      { index: 0, status: 'duplicate' },
      { index: 1, status: 'accepted' },
      { index: 2, status: 'rejected', reason: 'invalid_json' },
    ],
  })
})

test('quantity, price and properties are kept to the last digit', async () => {
  const client = await api.addClient()
  const body = `{"customer_id":"c1","event_type":"call","event_id":"e1","event_date":"2025-10-01T00:00:00.123456Z",
    "quantity":123456.123456789012,"unit_price":"0.000000000001","properties":{"region":"eu","n":1.10}}`
  expect((await send(client, body, 'application/json')).status).toBe(201)
  expect(await client.events()).toEqual([
    {
      ...EVENT,
      event_date: '2025-10-01T00:00:00.123456Z',
      quantity: '123456.123456789012',
      unit_price: '0.000000000001',
      properties: { region: 'eu', n: '1.10' },
      source: { upload_id: null, filename: null, line: 1 },
    },
  ])
})

test('CloudEvents, one and a batch, are events', async () => {
  const client = await api.addClient()
  const event = (id: string) => ({
    specversion: '1.0',
    id,
    source: '/meter',
    type: 'call',
    subject: 'c1',
    time: '2025-10-01T00:00:00Z',
    data: { quantity: '2.5', region: 'eu' },
  })
  const one = await send(client, JSON.stringify(event('a')), 'application/cloudevents+json')
  expect(one).toMatchObject({ status: 201, body: { accepted: 1 } })
  const batch = await send(
    client,
    JSON.stringify([event('a'), event('b')]),
    'application/cloudevents-batch+json',
  )
  expect(batch).toMatchObject({ status: 201, body: { accepted: 1, duplicates: 1 } })
  const events = await client.events()
  expect(events).toHaveLength(2)
  expect(events[0]).toMatchObject({ customer_id: 'c1', event_type: 'call', quantity: '2.5' })
})

test('the first of equal ids in one request counts; the others are compared with it', async () => {
  const client = await api.addClient()
  const sent = await client.postEvents([
    { ...EVENT, quantity: '1' },
    { ...EVENT, quantity: '1.0' },
    { ...EVENT, quantity: '2' },
    { ...EVENT, customer_id: 'c2' },
  ])
  expect(sent.results.map((result) => result.status)).toEqual([
    'accepted',
    'duplicate',
    'conflict',
    'accepted',
  ])
  expect(sent).toMatchObject({ accepted: 2, duplicates: 1, conflicts: 1, rejected: 0 })
})

test('a conflict with what a file brought leaves the file’s value', async () => {
  const client = await api.addClient()
  const [row] = usageRows(1, 'file')
  const upload = await client.upload(usageCsv([row!]))
  const sent = await client.postEvents([row, { ...row, quantity: '99' }])
  expect(sent).toMatchObject({ duplicates: 1, conflicts: 1 })
  expect(await client.events()).toMatchObject([
    { quantity: row!.quantity, source: { upload_id: upload.id, line: 2 } },
  ])
})

test('an event at fault is rejected with its column and reason, the others are stored', async () => {
  const client = await api.addClient()
  const sent = await client.postEvents([
    { ...EVENT, event_id: '' },
    { ...EVENT, event_date: '2025-02-30T00:00:00Z' },
    { ...EVENT, quantity: '1e3' },
    { ...EVENT, properties: { a: { b: 1 } } },
    'not an event',
    EVENT,
    { ...EVENT, event_id: 'x', event_date: null },
  ])
  expect(sent).toMatchObject({ accepted: 1, rejected: 6 })
  expect(sent.results.map(({ column, reason }) => [column, reason])).toEqual([
    ['event_id', 'missing_event_id'],
    ['event_date', 'invalid_event_date'],
    ['quantity', 'invalid_quantity'],
    ['a', 'nested_property'],
    [null, 'not_an_object'],
    [undefined, undefined],
    ['event_date', 'missing_event_date'],
  ])
})

test('10,000 events are stored, 10,001 are refused', async () => {
  const client = await api.addClient()
  const rows = usageRows(10_001, 'many')
  const refused = problemIn(await send(client, JSON.stringify(rows), 'application/json'))
  expect(refused).toMatchObject({ status: 413, code: 'too_many_events' })
  expect(await client.postEvents(rows.slice(0, 10_000))).toMatchObject({ accepted: 10_000 })
})

test.each([
  ['half an object', '{"customer_id":', 'malformed_json'],
  ['nothing', '', 'malformed_json'],
  ['an empty array', '[]', 'no_events'],
  ['bytes that are not text', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 'malformed_json'],
])('%s is refused', async (_what, body, code) => {
  const problem = problemIn(await send(api.client(), body, 'application/json'))
  expect(problem).toMatchObject({ status: 422, code })
})

test('a body of more than 32 MiB is refused with an answer', async () => {
  const body = `[${JSON.stringify({ ...EVENT, note: 'x'.repeat(33 * 1024 ** 2) })}]`
  const problem = problemIn(await send(api.client(), body, 'application/json'))
  expect(problem).toMatchObject({ status: 413, code: 'body_too_large' })
})

test('a type that is not read here is named', async () => {
  const problem = problemIn(await send(api.client(), '<a/>', 'application/xml'))
  expect(problem).toMatchObject({ status: 415, code: 'unsupported_content_type' })
})

test('eight clients that post the same event at once: counted once, all answered', async () => {
  const client = await api.addClient()
  const answers = await Promise.all(Array.from({ length: 8 }, () => client.postEvents(EVENT)))
  expect(answers.map((answer) => answer.results[0]?.status).sort()).toEqual([
    'accepted',
    ...Array<string>(7).fill('duplicate'),
  ])
  expect(await client.events()).toHaveLength(1)
})

test('eight clients that post the same hundred events in other orders: each counted once', async () => {
  const client = await api.addClient()
  const rows = usageRows(100, 'orders')
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_client, at) =>
      client.postEvents(at % 2 === 0 ? rows : [...rows].reverse()),
    ),
  )
  expect(answers.reduce((sum, answer) => sum + answer.accepted, 0)).toBe(100)
  expect(answers.map((answer) => answer.accepted + answer.duplicates)).toEqual(Array(8).fill(100))
})
