import type { Upload } from '../testing/ingest-client'
import { usageCsv, usageRows } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'

const api = useIngestApi()
const HEADER = 'customer_id,event_type,event_id,event_date'
const csv = (...lines: string[]) => `${[HEADER, ...lines].join('\n')}\n`

const countsOf = ({ rows, accepted, duplicates, conflicts, rejected }: Upload) => ({
  rows,
  accepted,
  duplicates,
  conflicts,
  rejected,
})

test('every row of a file is accepted, a duplicate, a conflict or rejected', async () => {
  const client = await api.addClient()
  await client.upload(csv('c1,call,stored,2025-10-01T00:00:00Z'))
  const upload = await client.upload(
    csv(
      'c1,call,new,2025-10-01T00:00:00Z',
      'c1,call,new,2025-10-01T00:00:00Z',
      'c1,call,stored,2025-10-01 00:00:00+00',
      'c1,message,stored,2025-10-01T00:00:00Z',
      'c1,call,new,2025-10-02T00:00:00Z',
      'c1,call,,2025-10-01T00:00:00Z',
      'c1,call,late,2025-02-30',
    ),
  )
  expect(countsOf(upload)).toEqual({
    rows: 7,
    accepted: 1,
    duplicates: 2,
    conflicts: 2,
    rejected: 2,
  })
})

test('the same content however spelled is a duplicate', async () => {
  const client = await api.addClient()
  const header = 'customer_id,event_type,event_id,event_date,quantity,unit_price,region,note'
  await client.upload(`${header}\nc1,call,e1,2025-10-01T00:00:00Z,1,0.50,eu,\n`)
  const again = [
    'c1,call,e1,2025-10-01 00:00:00+00,1.0,0.5,eu,',
    ' c1 , call , e1 , 2025-10-01T02:00:00+02:00 ,+1.000,.5,eu,',
    'c1,call,e1,2025-10-01T00:00:00.000000Z,01,0.500,eu,',
  ]
  const upload = await client.upload(`${header}\n${again.join('\n')}\n`)
  expect(upload).toMatchObject({ rows: 3, duplicates: 3 })
})

test('ids are texts: a UUID in capitals is another event, and so is the same id under another customer', async () => {
  const client = await api.addClient()
  const id = '4b2c0d1e-9f3a-4c5b-8d7e-0123456789ab'
  await client.upload(csv(`c1,call,${id},2025-10-01T00:00:00Z`))
  const upload = await client.upload(
    csv(
      `c1,call,${id.toUpperCase()},2025-10-01T00:00:00Z`,
      `c2,call,${id},2025-10-01T00:00:00Z`,
      `c1,call,${id},2025-10-01T00:00:00Z`,
    ),
  )
  expect(upload).toMatchObject({ accepted: 2, duplicates: 1 })
  const ids = (await client.events('customer_id=c1')).map((event) => event.event_id)
  expect(ids.sort()).toEqual([id.toUpperCase(), id])
})

test('a conflict shows both values, and where the stored one came from', async () => {
  const client = await api.addClient()
  const header = `${HEADER},quantity,unit_price,region`
  const first = await client.upload(
    `${header}\nc1,call,other,2025-10-01T00:00:00Z,9,,\nc1,call,e1,2025-10-01T00:00:00Z,1.50,0.10,eu\n`,
  )
  const second = await client.upload(`${header}\nc1,sms,e1,2025-10-02T00:00:00Z,2,,us\n`)
  expect(second).toMatchObject({ rows: 1, accepted: 0, conflicts: 1 })
  expect(await client.conflicts(second)).toEqual([
    {
      line: 2,
      customer_id: 'c1',
      event_id: 'e1',
      stored: {
        event_type: 'call',
        event_date: '2025-10-01T00:00:00.000000Z',
        quantity: '1.5',
        unit_price: '0.1',
        properties: { region: 'eu' },
        upload_id: first.id,
        line: 3,
      },
      sent: {
        event_type: 'sms',
        event_date: '2025-10-02T00:00:00.000000Z',
        quantity: '2',
        unit_price: null,
        properties: { region: 'us' },
      },
    },
  ])
  expect(await client.events()).toContainEqual(expect.objectContaining({ quantity: '1.5' }))
})

test('rejected rows come back with line, column, reason and the row as it was', async () => {
  const upload = await api
    .client()
    .upload(
      csv(
        'c1,call,"two\nlines",2025-10-01T00:00:00Z',
        '',
        'r1,call,r-1,yesterday',
        'r1,call,r-2',
        'r1,call,"r-3,2025-10-01',
      ),
    )
  expect(upload).toMatchObject({ rows: 4, accepted: 0, rejected: 4 })
  const rejects = await api.client().rejects(upload)
  expect(rejects.map(({ line, column, reason }) => [line, column, reason])).toEqual([
    [2, 'event_id', 'invalid_event_id'],
    [5, 'event_date', 'invalid_event_date'],
    [6, null, 'too_few_cells'],
    [7, null, 'unclosed_quote'],
  ])
  expect(rejects[1]!.row).toBe('r1,call,r-1,yesterday')
  expect(rejects.every((reject) => reject.message.length > 10)).toBe(true)
})

test('rejected rows as CSV, corrected and sent again, are accepted', async () => {
  const client = await api.addClient()
  const header = 'event_date;customer_id;event_id;event_type;quantity;note'
  const sent = [
    header,
    '2025-13-01;c1;e1;call;1;"a; ""b"""',
    '2025-10-01;c1;e2;call;1;fine',
    '2025-10-01;c1;e3;call;1,5;"two',
    'lines"',
  ].join('\r\n')
  const upload = await client.upload(sent, '')
  expect(upload).toMatchObject({ rows: 3, accepted: 1, rejected: 2 })
  const answer = await client.call('GET', `/v1/uploads/${upload.id}/rejects`, {
    headers: { accept: 'text/csv' },
  })
  expect(answer.headers.get('content-type')).toMatch(/^text\/csv/)
  expect(answer.text).toContain('line;column;reason')
  const corrected = answer.text.replace('2025-13-01', '2025-10-01').replace('1,5', '1.5')
  expect(await client.upload(corrected)).toMatchObject({ rows: 2, accepted: 2, rejected: 0 })
  const events = await client.events()
  expect(events.map((event) => [event.event_id, event.quantity, event.properties]).sort()).toEqual([
    ['e1', '1', { note: 'a; "b"' }],
    ['e2', '1', { note: 'fine' }],
    ['e3', '1.5', { note: 'two\r\nlines' }],
  ])
})

test('strict refuses the whole file over one row, says which, and stores nothing', async () => {
  const client = await api.addClient()
  const rows = usageRows(2_000, 'strict')
  const file = usageCsv([...rows, { ...rows[0]!, event_id: 'bad', quantity: '1e3' }])
  const problem = await client.refused(file, 'strict=true')
  expect(problem).toMatchObject({ status: 422, code: 'rows_rejected' })
  expect(problem.errors).toMatchObject([{ field: 'line 2002, quantity' }])
  expect(await client.events()).toEqual([])
  expect((await client.uploads())[0]).toMatchObject({ state: 'failed', accepted: 0 })
  expect(await client.upload(usageCsv(rows), 'strict=true')).toMatchObject({ accepted: 2_000 })
})

test('event_id=derive gives equal rows an id each, and the same ids when the file comes again', async () => {
  const client = await api.addClient()
  const file = `customer_id,event_type,event_date\n${'c1,call,2025-10-01\n'.repeat(3)}c1,call,2025-10-02\n`
  expect(await client.upload(file, 'event_id=derive')).toMatchObject({ accepted: 4 })
  expect(await client.upload(file, 'event_id=derive')).toMatchObject({ accepted: 0, duplicates: 4 })
  const ids = (await client.events()).map((event) => event.event_id)
  expect(new Set(ids).size).toBe(4)
})

test('customer_name names a customer that has no name yet, is no property, and makes no conflict', async () => {
  const client = await api.addClient()
  const header = `${HEADER},customer_name`
  await client.upload(`${header}\nc1,call,e1,2025-10-01,Ann\nc2,call,e2,2025-10-01,\n`)
  const again = await client.upload(
    `${header}\nc1,call,e1,2025-10-01,Ann Lee\nc2,call,e2,2025-10-01,Bob\n`,
  )
  expect(again).toMatchObject({ duplicates: 2, conflicts: 0 })
  const { rows } = await api
    .owner()
    .query<{ id: string; name: string | null }>(
      'select id, name from customers where organization_id = $1 order by id',
      [client.organizationId],
    )
  expect(rows).toEqual([
    { id: 'c1', name: 'Ann' },
    { id: 'c2', name: 'Bob' },
  ])
  expect((await client.events()).map((event) => event.properties)).toEqual([{}, {}])
})

test('a customer named only far down in a file gets its name', async () => {
  const client = await api.addClient()
  const named = usageCsv(usageRows(40_000, 'far'))
    .trimEnd()
    .split('\n')
    .map((line, at) => `${line},${at === 0 ? 'customer_name' : at > 39_990 ? `Name ${at}` : ''}`)
  await client.upload(named.join('\n'))
  const { rows } = await api
    .owner()
    .query<{ id: string; name: string | null }>(
      'select id, name from customers where organization_id = $1 order by id',
      [client.organizationId],
    )
  // Row 39,991 is the tenth from the end, and of customer c0; each name is the first that came.
  expect(rows).toEqual(
    Array.from({ length: 10 }, (_row, at) => ({ id: `c${at}`, name: `Name ${39_991 + at}` })),
  )
})

test('a batch holds more rows than the memory of one: many rows are all counted', async () => {
  const client = await api.addClient()
  const rows = usageRows(60_000, 'many')
  const file = usageCsv([...rows, ...rows.slice(0, 500)])
  const upload = await client.upload(file)
  expect(upload).toMatchObject({ rows: 60_500, accepted: 60_000, duplicates: 500 })
  const half = usageCsv([...rows.slice(30_000), ...usageRows(1_000, 'fresh')])
  expect(await client.upload(half)).toMatchObject({ accepted: 1_000, duplicates: 30_000 })
})
