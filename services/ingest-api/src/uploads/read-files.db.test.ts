import { useIngestApi } from '../testing/use-ingest-api'

const api = useIngestApi()
const HEADER = 'customer_id,event_type,event_id,event_date'

const datesOf = async (client: Awaited<ReturnType<typeof api.addClient>>) =>
  (await client.events()).map((event) => event.event_date)

test('a headerless file with CRLF and no final newline is read to its last row', async () => {
  const client = await api.addClient()
  const rows = [
    'b4f9279a0196e40632e947dd1a88e857,call,e1,2021-03-01 00:01:11.055+00',
    'b4f9279a0196e40632e947dd1a88e857,call,e2,2021-03-01 00:01:12.1+00',
    'd296aced54a4923b282432a5a1d4ed54,call,e3,2021-03-01 00:59:59.99+00',
  ]
  expect(await client.upload(rows.join('\r\n'))).toMatchObject({ rows: 3, accepted: 3 })
  expect(await datesOf(client)).toEqual([
    '2021-03-01T00:01:11.055000Z',
    '2021-03-01T00:01:12.100000Z',
    '2021-03-01T00:59:59.990000Z',
  ])
})

test.each([
  ['a byte order mark', (text: string) => Buffer.from(`\ufeff${text}`)],
  [
    'UTF-16, little end first',
    (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]),
  ],
  [
    'UTF-16, big end first',
    (text: string) =>
      Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(text, 'utf16le').swap16()]),
  ],
])('%s is understood', async (_what, encode) => {
  const client = await api.addClient()
  const file = encode(`${HEADER},city\nMüller 東京 🚀,call,e1,2025-10-01T00:00:00Z,Zürich\n`)
  expect(await client.upload(file)).toMatchObject({ rows: 1, accepted: 1 })
  expect(await client.events()).toMatchObject([
    { customer_id: 'Müller 東京 🚀', properties: { city: 'Zürich' } },
  ])
})

test('bytes that are not text are a rejected row, and the others are read', async () => {
  const client = await api.addClient()
  const file = Buffer.concat([
    Buffer.from(`${HEADER}\nc1,call,e1,2025-10-01\n`),
    Buffer.from([0x63, 0xff, 0xfe]),
    Buffer.from(',call,e2,2025-10-01\nc3,call,e3,2025-10-01\n'),
  ])
  const upload = await client.upload(file)
  expect(upload).toMatchObject({ rows: 3, accepted: 2, rejected: 1 })
  expect(await client.rejects(upload)).toMatchObject([{ line: 3, reason: 'invalid_encoding' }])
})

test('quoted cells keep their newlines, and lines are counted as an editor does', async () => {
  const client = await api.addClient()
  const file = [
    `${HEADER},note`,
    'c1,call,e1,2025-10-01,"first\nsecond ""quoted"", third"',
    '',
    'c1,call,e2,2025-10-01,plain',
    'c1,call,e3,never,plain',
  ].join('\n')
  const upload = await client.upload(file)
  expect(upload).toMatchObject({ rows: 3, accepted: 2, rejected: 1 })
  expect(await client.rejects(upload)).toMatchObject([{ line: 6 }])
  const events = await client.events(`upload_id=${upload.id}`)
  expect(events.map((event) => [event.source.line, event.properties['note']])).toEqual([
    [2, 'first\nsecond "quoted", third'],
    [5, 'plain'],
  ])
})

test.each([
  [';', ';'],
  ['tab', '\t'],
  ['|', '|'],
])('the delimiter %s is taken when named and found when not', async (name, delimiter) => {
  const client = await api.addClient()
  const lines = [HEADER, 'a b,call,e1,2025-10-01'].map((line) => line.replaceAll(',', delimiter))
  const file = `${lines.join('\n')}\n`
  const named = await client.upload(file, `delimiter=${encodeURIComponent(name)}`)
  expect(named).toMatchObject({ accepted: 1 })
  expect(await client.upload(file)).toMatchObject({ duplicates: 1 })
})

test('foreign headers are mapped by columns=', async () => {
  const client = await api.addClient()
  const columns =
    'customer_id:SubAccountId,event_type:ServiceName,event_id:x_Id,event_date:ChargePeriodStart,quantity:ConsumedQuantity,unit_price:List: price'
  const file =
    'x_Id,ServiceName,SubAccountId,ChargePeriodStart,ConsumedQuantity,List: price,RegionName\n1,Compute,acc-1,2025-10-01T00:00:00Z,2.5,0.04,eu-1\n'
  const upload = await client.upload(file, `columns=${encodeURIComponent(columns)}`)
  expect(upload).toMatchObject({ accepted: 1 })
  expect(await client.events()).toMatchObject([
    {
      customer_id: 'acc-1',
      event_type: 'Compute',
      event_id: '1',
      quantity: '2.5',
      unit_price: '0.04',
      properties: { RegionName: 'eu-1' },
    },
  ])
  const missing = await client.refused(file, 'columns=customer_id:Nobody')
  expect(missing).toMatchObject({ status: 422, code: 'missing_columns' })
})

test('dates without an offset are read in the zone asked for; an hour that does not exist is rejected', async () => {
  const client = await api.addClient()
  const file = [
    HEADER,
    'c1,call,before,2025-03-30 01:59:59',
    'c1,call,gap,2025-03-30 02:30:00',
    'c1,call,after,2025-03-30 03:00:00',
    'c1,call,twice,2025-10-26 02:30:00',
    'c1,call,own,2025-03-30 02:30:00+00',
  ].join('\n')
  const upload = await client.upload(file, 'timezone=Europe/Berlin')
  expect(upload).toMatchObject({ rows: 5, accepted: 4, rejected: 1 })
  expect(await client.rejects(upload)).toMatchObject([
    { line: 3, column: 'event_date', reason: 'date_without_such_local_time' },
  ])
  expect(await datesOf(client)).toEqual([
    '2025-03-30T00:59:59.000000Z',
    '2025-03-30T01:00:00.000000Z',
    '2025-03-30T02:30:00.000000Z',
    '2025-10-26T00:30:00.000000Z',
  ])
})

test('dates more than a day ahead are rejected unless future=allow', async () => {
  const client = await api.addClient()
  const file = `${HEADER}\nc1,call,e1,2199-01-01T00:00:00Z\n`
  const upload = await client.upload(file)
  expect(upload).toMatchObject({ rejected: 1 })
  expect(await client.rejects(upload)).toMatchObject([{ reason: 'event_date_out_of_range' }])
  expect(await client.upload(file, 'future=allow')).toMatchObject({ accepted: 1 })
})

test('NDJSON is read by its type and by its name; a line at fault is a rejected row', async () => {
  const client = await api.addClient()
  const event = {
    customer_id: 'c1',
    event_type: 'call',
    event_id: 'e1',
    event_date: '2025-10-01T00:00:00Z',
    quantity: 12.5,
    properties: { region: 'eu', paid: true },
  }
  const file = `${JSON.stringify(event)}\r\n\r\n{"customer_id":\n${JSON.stringify({ ...event, event_id: 'e2', quantity: '123456789012345678' })}`
  const upload = await client.upload(file, '', { 'content-type': 'application/x-ndjson' })
  expect(upload).toMatchObject({ rows: 3, accepted: 2, rejected: 1 })
  expect(await client.rejects(upload)).toMatchObject([{ line: 3, reason: 'invalid_json' }])
  const body = new FormData()
  body.append('file', new Blob([file]), 'usage.ndjson')
  const named = await client.call('POST', '/v1/uploads', { body })
  expect(named.body).toMatchObject({ rows: 3, duplicates: 2, rejected: 1 })
  expect(await client.events(`upload_id=${upload.id}`)).toMatchObject([
    { event_id: 'e1', quantity: '12.5', properties: { region: 'eu', paid: 'true' } },
    { event_id: 'e2', quantity: '123456789012345678' },
  ])
})
