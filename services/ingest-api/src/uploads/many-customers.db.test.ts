import type { Upload } from '../testing/ingest-client'
import { usageCsv } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'

const api = useIngestApi()

const CUSTOMERS = 3_000
const idOf = (number: number) => `customer-${String(number).padStart(5, '0')}`

/** One event for each customer number of [from, to), in another order than that of their ids. */
function fileOf(from: number, to: number, prefix: string): string {
  const numbers = Array.from({ length: to - from }, (_number, at) => from + at)
  numbers.sort((a, b) => ((a * 7_919) % 10_007) - ((b * 7_919) % 10_007))
  const rows = numbers.map(
    (number) => `${idOf(number)},Name of ${number},call,${prefix}-${number},2025-10-01,${number}`,
  )
  return `customer_id,customer_name,event_type,event_id,event_date,quantity\n${rows.join('\n')}\n`
}

/** How many customers have exactly the events, and the name, that their rows gave them. */
async function countRight(organizationId: string, eventsEach: number): Promise<object> {
  const { rows } = await api.owner().query<{ customers: number; right: number }>(
    `select count(*)::int as customers, count(*) filter (
       where right(id, 5)::int = ok.quantity and ok.events = $2
         and c.name = 'Name of ' || right(c.id, 5)::int)::int as right
     from customers c
     cross join lateral (
       select count(*) as events, max(quantity) as quantity
       from events e where e.customer_no = c.customer_no and e.quantity = right(c.id, 5)::int) ok
     where organization_id = $1`,
    [organizationId, eventsEach],
  )
  return rows[0]!
}

const accepted = (uploads: readonly Upload[]) => uploads.map((upload) => upload.accepted)

test('thousands of new customers of one file each get their events and their name', async () => {
  const client = await api.addClient()
  const upload = await client.upload(fileOf(1, 1 + CUSTOMERS, 'first'))
  expect(upload).toMatchObject({ accepted: CUSTOMERS })
  expect(await countRight(client.organizationId, 1)).toEqual({
    customers: CUSTOMERS,
    right: CUSTOMERS,
  })
})

test('a file of thousands of customers that is sent again, or of which half is stored, is told row by row', async () => {
  const client = await api.addClient()
  // Some customers have one row, some a few, some hundreds.
  const rows = Array.from({ length: 30_000 }, (_row, at) => ({
    customer_id: at % 5 === 0 ? `large-${at % 40}` : `small-${(at * at) % 12_007}`,
    event_type: 'call',
    event_id: `event-${at}`,
    event_date: '2025-10-01T00:00:00Z',
    quantity: '2.5',
  }))
  const half = rows.filter((_row, at) => at % 2 === 0)
  expect(await client.upload(usageCsv(half))).toMatchObject({ accepted: 15_000 })
  expect(await client.upload(usageCsv(rows))).toMatchObject({
    accepted: 15_000,
    duplicates: 15_000,
  })
  expect(await client.upload(usageCsv(rows))).toMatchObject({ accepted: 0, duplicates: 30_000 })
})

test('ids of any letters and lengths, with a name or without, become as many customers', async () => {
  const client = await api.addClient()
  const customers = Array.from({ length: 2_000 }, (_customer, at) => ({
    id: `${['é', 'Straße ', '\u{1f600}', 'x'.repeat(240)][at % 4]}${at}`,
    name: at % 3 === 0 ? null : `${'n'.repeat((at * 37) % 240)}${at}`,
  }))
  const lines = customers.map(({ id, name }, at) => `${id},${name ?? ''},call,e${at},2025-10-01`)
  const header = 'customer_id,customer_name,event_type,event_id,event_date'
  const upload = await client.upload(`${header}\n${lines.join('\n')}\n`)
  expect(upload).toMatchObject({ accepted: customers.length })
  const { rows } = await api.owner().query<{ id: string; name: string | null; event: string }>(
    `select c.id, c.name, e.event_id as event from events e join customers c using (customer_no)
     where c.organization_id = $1 order by e.line`,
    [client.organizationId],
  )
  expect(rows).toEqual(customers.map((customer, at) => ({ ...customer, event: `e${at}` })))
})

test('thousands of customers that are known without a name get the one that a later file has for them', async () => {
  const client = await api.addClient()
  const numbers = Array.from({ length: CUSTOMERS }, (_number, at) => at + 1)
  const rows = numbers.map((number) => `${idOf(number)},call,n-${number},2025-10-01,${number}`)
  const header = 'customer_id,event_type,event_id,event_date,quantity'
  await client.upload(`${header}\n${rows.join('\n')}\n`)
  await client.upload(fileOf(1, 1 + CUSTOMERS + 500, 'named'))
  expect(await countRight(client.organizationId, 2)).toEqual({
    customers: CUSTOMERS + 500,
    right: CUSTOMERS,
  })
})

test('an upload whose customers cannot be made fails as a whole and can be sent again', async () => {
  const client = await api.addClient()
  const file = fileOf(1, 1 + CUSTOMERS, 'refused')
  await api
    .owner()
    .query(
      `alter table customers add constraint not_that_one check (id <> '${idOf(70)}') not valid`,
    )
  try {
    expect(await client.refused(file)).toMatchObject({ status: 500 })
  } finally {
    await api.owner().query('alter table customers drop constraint not_that_one')
  }
  expect(await client.upload(file)).toMatchObject({ accepted: CUSTOMERS })
  expect(await countRight(client.organizationId, 1)).toMatchObject({ right: CUSTOMERS })
})

test('a single known customer among thousands of new ones keeps its number', async () => {
  const client = await api.addClient()
  const known = CUSTOMERS / 2
  await client.upload(fileOf(known, known + 1, 'before'))
  await client.upload(fileOf(1, known, 'all'))
  const rest = fileOf(known, 1 + CUSTOMERS, 'all')
  expect(await client.upload(rest)).toMatchObject({ accepted: CUSTOMERS - known + 1 })

  const { rows } = await api.owner().query<{ customer: string; events: number }>(
    `select c.id as customer, count(*)::int as events
     from events e join customers c on c.customer_no = e.customer_no
     where c.organization_id = $1 group by c.customer_no having count(*) > 1`,
    [client.organizationId],
  )
  expect(rows).toEqual([{ customer: idOf(known), events: 2 }])
})

test('files that name the same thousands of new customers at once agree on who is who', async () => {
  const client = await api.addClient()
  const files = ['a', 'b', 'c', 'd'].map((prefix) => fileOf(1, 1 + CUSTOMERS, prefix))
  const uploads = await Promise.all(files.map((file) => client.upload(file)))
  expect(accepted(uploads)).toEqual(Array(4).fill(CUSTOMERS))
  expect(await countRight(client.organizationId, 4)).toEqual({
    customers: CUSTOMERS,
    right: CUSTOMERS,
  })
})
