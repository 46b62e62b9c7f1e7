import fc from 'fast-check'
import { problemIn } from '../testing/ingest-client'
import { usageCsv, usageRows } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'
import { EventsAnswer } from './event.schema'

const api = useIngestApi()
type Client = ReturnType<typeof api.client>

/** Every page from the first to the last. */
async function allPages(client: Client, filter: string, limit: number) {
  const found: string[] = []
  let cursor: string | null = null
  do {
    const at = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`
    const answer = await client.call('GET', `/v1/events?limit=${limit}&${filter}${at}`)
    expect(answer.status).toBe(200)
    const page = EventsAnswer.parse(answer.body)
    expect(page.data.length).toBeLessThanOrEqual(limit)
    found.push(...page.data.map((event) => `${event.customer_id} ${event.event_id}`))
    cursor = page.next_cursor
  } while (cursor !== null)
  return found
}

const exportOf = (client: Client, query = '') =>
  client.call('GET', `/v1/events?${query}`, { headers: { accept: 'text/csv' } })

test('events are found by customer, type, half-open time and upload', async () => {
  const client = await api.addClient()
  const event = (customer_id: string, event_type: string, event_id: string, day: string) => ({
    customer_id,
    event_type,
    event_id,
    event_date: `2025-10-${day}T00:00:00Z`,
    quantity: '1',
  })
  const upload = await client.upload(
    usageCsv([event('c2', 'call', 'b', '02'), event('c1', 'sms', 'a', '01')]),
  )
  await client.postEvents([event('c1', 'call', 'c', '03'), event('c1', 'call', 'd', '04')])
  const ids = async (query: string) => (await client.events(query)).map((found) => found.event_id)

  expect(await ids('customer_id=c1')).toEqual(['a', 'c', 'd'])
  expect((await ids('event_type=call')).sort()).toEqual(['b', 'c', 'd'])
  expect(await ids('customer_id=c1&event_type=call')).toEqual(['c', 'd'])
  expect(
    (await ids('start_date=2025-10-02T00:00:00Z&end_date=2025-10-04T00:00:00Z')).sort(),
  ).toEqual(['b', 'c'])
  expect(await ids(`upload_id=${upload.id}`)).toEqual(['b', 'a'])
  expect(await ids('customer_id=nobody')).toEqual([])
  expect(await ids('event_type=nothing')).toEqual([])
})

test.each([
  ['limit=0', 'limit'],
  ['limit=1001', 'limit'],
  ['start_date=yesterday', 'start_date'],
  ['upload_id=7', 'upload_id'],
])('the query %s is refused by name', async (query, field) => {
  const problem = problemIn(await api.client().call('GET', `/v1/events?${query}`))
  expect(problem.status).toBe(422)
  expect(problem.errors.map((error) => error.field)).toEqual([field])
})

test('a cursor that nobody gave out is refused', async () => {
  for (const cursor of ['x', 'bnVsbA', Buffer.from('[1,"2",3]').toString('base64url')]) {
    const problem = problemIn(await api.client().call('GET', `/v1/events?cursor=${cursor}`))
    expect(problem.status).toBe(422)
  }
})

test('paging shows every event exactly once, whatever the size of a page', async () => {
  const client = await api.addClient()
  // Many at the same instant, and some a microsecond apart.
  const rows = usageRows(120, 'page').map((row, at) => ({
    ...row,
    event_date: at % 3 === 0 ? `2025-10-01T00:00:00.00000${at % 7}Z` : '2025-10-01T00:00:00Z',
  }))
  const upload = await client.upload(usageCsv(rows))
  const all = rows.map((row) => `${row.customer_id} ${row.event_id}`).sort()
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 130 }), async (limit) => {
      expect((await allPages(client, '', Math.max(limit, 7))).sort()).toEqual(all)
      const ofCustomer = all.filter((key) => key.startsWith('c3 '))
      expect((await allPages(client, 'customer_id=c3', limit)).sort()).toEqual(ofCustomer)
      const inOrder = rows.map((row) => `${row.customer_id} ${row.event_id}`)
      expect(await allPages(client, `upload_id=${upload.id}`, Math.max(limit, 11))).toEqual(inOrder)
    }),
    { numRuns: 6, examples: [[1], [120]] },
  )
})

const HARD_TEXT = fc.oneof(
  fc.constantFrom(
    '=1+1',
    '-x',
    "'=",
    "''=1",
    '+49',
    '@sum',
    "'",
    "'quoted'",
    'a,b',
    'a;b',
    'say "hi"',
    '"',
    'é 東京 🚀',
    '-1',
    '- ',
  ),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
)
/** Control characters are refused in ids, and blanks around them trimmed. */
const idText = HARD_TEXT.map((text) => text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, '').trim()).filter(
  (text) => text !== '',
)
const propertyText = fc
  .oneof(HARD_TEXT, fc.constantFrom('two\nlines', 'two\r\nlines', ' blanks ', '\t=1', '\r', '=\n'))
  .filter((text) => !text.includes('\0'))

const hardEvent = fc.record({
  customer_id: idText,
  event_type: idText,
  event_id: idText,
  event_date: fc.constantFrom('2025-10-01T00:00:00Z', '2025-10-01T00:00:00.000001Z'),
  quantity: fc.constantFrom('-5', '0', '0.000000000001', '999999', '1'),
  unit_price: fc.constantFrom(undefined, '-0.5', '12'),
  properties: fc.dictionary(
    fc.constantFrom('note', '=cmd', "'x", 'größe', 'a,b', 'say "it"'),
    propertyText,
    { maxKeys: 4 },
  ),
})

test('an export uploads again and brings nothing new: formulas, quotes, newlines and unicode read back unchanged', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(hardEvent, { minLength: 1, maxLength: 30 }), async (events) => {
      const client = await api.addClient()
      const sent = await client.postEvents(events)
      expect(sent.results.filter((result) => result.status === 'rejected')).toEqual([])
      const before = await client.events()
      const exported = await exportOf(client)
      expect(exported.status).toBe(200)
      const upload = await client.upload(exported.text)
      expect(await client.rejects(upload)).toEqual([])
      expect(await client.conflicts(upload)).toEqual([])
      expect(upload).toMatchObject({
        rows: before.length,
        accepted: 0,
        duplicates: before.length,
      })
      // In an empty house it makes the same events.
      const other = await api.addClient()
      expect(await other.upload(exported.text)).toMatchObject({ accepted: before.length })
      const copied = (await other.events()).map(({ source: _source, ...event }) => event)
      const original = before.map(({ source: _source, ...event }) => event)
      const inOrder = (list: typeof copied) => list.map((event) => JSON.stringify(event)).sort()
      expect(inOrder(copied)).toEqual(inOrder(original))
    }),
    { numRuns: 15, endOnFailure: true },
  )
})

test('text cells of an export cannot be formulas', async () => {
  const client = await api.addClient()
  await client.postEvents({
    customer_id: '=HYPERLINK("x")',
    event_type: '@call',
    event_id: '-e1',
    event_date: '2025-10-01T00:00:00Z',
    quantity: '-3',
    properties: { '+name': '=1+1' },
  })
  const { text } = await exportOf(client)
  expect(text).toBe(
    `customer_id,event_type,event_id,event_date,quantity,unit_price,'+name\n` +
      `"'=HYPERLINK(""x"")",'@call,'-e1,2025-10-01T00:00:00.000000Z,-3,,'=1+1\n`,
  )
})

test('an export follows the filters', async () => {
  const client = await api.addClient()
  await client.upload(usageCsv(usageRows(30, 'filter')))
  const { text, headers } = await exportOf(client, 'customer_id=c4')
  expect(headers.get('content-disposition')).toContain('events.csv')
  expect(text.trim().split('\n')).toHaveLength(1 + 3)
})
