import { recountUsage } from '@billtrail/db'
import { inTransaction, type Sql } from '@billtrail/platform'
import fc from 'fast-check'
import { useIngestApi } from '../testing/use-ingest-api'

const api = useIngestApi()

/** Where local months begin at instants that follow no rule: Monrovia was 44:30 behind until 1972, Apia skipped a day. */
const ZONES = ['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Africa/Monrovia', 'Pacific/Apia'] as const
/** Near the beginning of a month in one of them. */
const DATES = [
  '1971-12-01T00:44:29.999999Z',
  '1971-12-01T00:44:30Z',
  '2011-12-31T09:59:59.999999Z',
  '2011-12-31T10:00:00Z',
  '2026-02-28T18:14:59Z',
  '2026-02-28T18:15:00Z',
  '2026-02-28T22:59:59.999999Z',
  '2026-02-28T23:00:00Z',
  '2026-03-01T00:00:00Z',
  '2026-03-31T21:59:59Z',
  '2026-03-31T22:00:00Z',
  '2026-03-31T23:59:59.999999Z',
]
const NUMBERS = [
  '0',
  '1',
  '2.5',
  '-3',
  '0.000000000001',
  '-123456.123456789012',
  '999999999999999999',
]

const CUSTOMERS = ZONES.length

const event = fc.record(
  {
    customer_id: fc.nat(CUSTOMERS - 1).map((at) => `c${at}`),
    event_type: fc.constantFrom('call', 'sms'),
    event_date: fc.constantFrom(...DATES),
    quantity: fc.constantFrom(...NUMBERS),
    unit_price: fc.constantFrom(...NUMBERS),
  },
  { requiredKeys: ['customer_id', 'event_type', 'event_date'] },
)

/** Some bring events of one moment, some of many. */
const request = fc.oneof(
  fc.array(event, { minLength: 1, maxLength: 40 }),
  fc
    .tuple(fc.constantFrom(...DATES), fc.array(event, { minLength: 1, maxLength: 40 }))
    .map(([event_date, events]) => events.map((one) => ({ ...one, event_date }))),
)

const counted = async (sql: Sql, organizationId: string) =>
  (
    await sql.query(
      `select c.id, u.period, u.event_type_no, u.own_price, trim_scale(u.quantity) as quantity,
              trim_scale(u.amount) as amount, u.events
       from counted_usage u join customers c on c.customer_no = u.customer_no
       where c.organization_id = $1 order by 1, 2, 3, 4`,
      [organizationId],
    )
  ).rows

test('usage of sent events is what counting the stored ones anew gives, in every zone', async () => {
  const story = fc.asyncProperty(
    fc.array(request, { minLength: 1, maxLength: 5 }),
    async (sent) => {
      const client = await api.addClient()
      const { organizationId } = client
      const sql = api.owner()
      await sql.query(`update organizations set timezone = 'America/Sao_Paulo' where id = $1`, [
        organizationId,
      ])
      const first = ZONES.map((_zone, at) => ({
        customer_id: `c${at}`,
        event_type: 'call',
        event_id: 'first',
        event_date: DATES[0],
      }))
      await client.postEvents(first)
      // The last one keeps that of its organization.
      for (const [at, zone] of ZONES.slice(0, -1).entries()) {
        await sql.query(
          'update customers set timezone = $3 where organization_id = $1 and id = $2',
          [organizationId, `c${at}`, zone],
        )
      }
      await inTransaction(sql, (own) => recountUsage(own, { organizationId }))
      for (let at = 0; at < CUSTOMERS - 1; at++) await recountCustomer(organizationId, `c${at}`)

      const answers = await Promise.all(
        sent.map((events, at) =>
          client.postEvents(events.map((one, line) => ({ ...one, event_id: `${at}-${line}` }))),
        ),
      )
      expect(answers.map(({ accepted }) => accepted)).toEqual(sent.map((events) => events.length))
      const before = await counted(sql, organizationId)
      expect(before.reduce((all, { events }) => all + Number(events), 0)).toBe(
        CUSTOMERS + sent.flat().length,
      )
      await inTransaction(sql, (own) => recountUsage(own, { organizationId }))
      for (let at = 0; at < CUSTOMERS - 1; at++) await recountCustomer(organizationId, `c${at}`)
      expect(await counted(sql, organizationId)).toEqual(before)
    },
  )
  await fc.assert(story, { numRuns: 12 })
}, 120_000)

async function recountCustomer(organizationId: string, id: string): Promise<void> {
  const sql = api.owner()
  const { rows } = await sql.query<{ customer_no: number }>(
    'select customer_no from customers where organization_id = $1 and id = $2',
    [organizationId, id],
  )
  await inTransaction(sql, (own) =>
    recountUsage(own, { organizationId, customerNo: rows[0]!.customer_no }),
  )
}

test('an hour that was turned back into the month before counts there', async () => {
  const client = await api.addClient()
  const { organizationId } = client
  await api
    .owner()
    .query(`update organizations set timezone = 'America/St_Johns' where id = $1`, [organizationId])
  // At 00:01 of 1 November 2009 it was 23:01 again: 00:00:30, 23:15, 00:30.
  const times = ['02:30:30', '02:45:00', '04:00:00']
  const events = times.map((time) => ({
    customer_id: 'gander',
    event_type: 'call',
    event_id: time,
    event_date: `2009-11-01T${time}Z`,
  }))
  expect(await client.postEvents(events)).toMatchObject({ accepted: 3 })
  expect(await counted(api.owner(), organizationId)).toMatchObject([
    { period: '2009-10', events: '1' },
    { period: '2009-11', events: '2' },
  ])
})

test('a group with one stored event among new ones counts each new one once', async () => {
  const client = await api.addClient()
  const rows = Array.from({ length: 40 }, (_row, at) => ({
    customer_id: `c${at % 3}`,
    event_type: 'call',
    event_id: `e${at}`,
    event_date: DATES[at % DATES.length],
    quantity: NUMBERS[at % NUMBERS.length],
  }))
  await client.postEvents(rows[17])
  expect(await client.postEvents(rows)).toMatchObject({ accepted: 39, duplicates: 1 })
  // It was met, so that the next group is looked up at once, and the one after is taken to be new again.
  for (const name of ['f', 'g', 'h']) {
    const fresh = rows.map((row) => ({ ...row, event_id: `${name}-${row.event_id}` }))
    expect(await client.postEvents(fresh)).toMatchObject({ accepted: 40 })
  }
  const usage = await counted(api.owner(), client.organizationId)
  expect(usage.reduce((all, { events }) => all + Number(events), 0)).toBe(160)
})
