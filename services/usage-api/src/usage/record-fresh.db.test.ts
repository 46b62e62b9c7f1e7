import {
  createOrganization,
  internCustomers,
  internEventTypes,
  type NewEvent,
  rateMonths,
  recordEvents,
} from '@billtrail/db'
import { eventKey, parsePeriod } from '@billtrail/domain'
import { useTestDatabase } from '@billtrail/embedded/testing'
import { createLogger, createPool, type Pool } from '@billtrail/platform'
import fc from 'fast-check'
import { groupCalls, type GroupedCalls, type Recorded } from './group-calls'
import { findEvent } from './usage.repo'

const database = useTestDatabase()
let pool: Pool
let calls: GroupedCalls
let organizationId: string
let types: number[]

beforeAll(async () => {
  const logger = createLogger({ service: 'test', level: 'silent' })
  pool = createPool({ url: database.url(), role: 'billtrail_usage', plansOnce: true, logger })
  calls = groupCalls(pool)
  organizationId = await createOrganization(database.pool(), { slug: 'fresh' })
  types = await internEventTypes(database.pool(), organizationId, ['call', 'text'])
})
afterAll(() => pool.end())

let made = 0
async function customerIn(zone: string | null): Promise<number> {
  made += 1
  const sql = database.pool()
  const [no] = await internCustomers(sql, organizationId, [{ id: `c${made}`, name: null }])
  await sql.query('update customers set timezone = $2 where customer_no = $1', [no, zone])
  return no!
}

const event = (customerNo: number, id: string, fields: Partial<NewEvent> = {}): NewEvent => ({
  customerNo,
  eventTypeNo: types[0]!,
  eventKey: eventKey(id),
  eventId: id,
  eventDate: '2026-03-05T10:00:00Z',
  quantity: '1',
  unitPrice: null,
  properties: null,
  ...fields,
})

/** What is counted of customers, and what should be: their events, summed by month of their zones. */
async function countedAndStored(customers: readonly number[]): Promise<[unknown, unknown]> {
  const sums = 'trim_scale(sum(quantity))::text as quantity, sum(events)::int as events'
  const counted = await database.pool().query(
    `select customer_no, period, event_type_no, ${sums} from usage
     where customer_no = any($1) group by 1, 2, 3 order by 1, 2, 3`,
    [customers],
  )
  const stored = await database.pool().query(
    `select e.customer_no, to_char(e.event_date at time zone coalesce(c.timezone, o.timezone), 'YYYY-MM') as period,
            e.event_type_no, trim_scale(sum(e.quantity))::text as quantity, count(*)::int as events
     from events e join customers c using (customer_no) join organizations o on o.id = c.organization_id
     where e.customer_no = any($1) group by 1, 2, 3 order by 1, 2, 3`,
    [customers],
  )
  return [counted.rows, stored.rows]
}

async function totalOf(customerNo: number, period: string): Promise<string> {
  const rated = await rateMonths(pool, { organizationId, months: [{ customerNo, period }] })
  return rated[0]!.bill.total.toFixed()
}

// What JSON, an array or hstore have to escape, and what looks like an escape.
const hardText = fc.string({
  unit: fc.constantFrom('a', '9', '"', '\\', ',', '=>', '{', '}', ' ', '\n', 'é', '🎈', 'NULL'),
  minLength: 1,
  maxLength: 6,
})
const sent = fc.record({
  customer: fc.nat(2),
  id: fc.constantFrom(
    'one',
    'two',
    'three',
    'b4f9279a-62a5-4ff5-8a3c-d0a5a6b6e001',
    'null',
    'a "b"',
  ),
  type: fc.nat(1),
  // Within hours of the ends of months, where zones part them.
  minutes: fc.integer({ min: -1500, max: 1500 }),
  micros: fc.constantFrom('', '.5', '.000001', '.120000'),
  quantity: fc.constantFrom('0', '1', '2.5', '-0.000000000001', '350'),
  unitPrice: fc.constantFrom(null, null, null, '0.5'),
  properties: fc.oneof(
    fc.constantFrom(null, { region: 'eu' }, { zone: 'x', a: '"\\', éé: '1', bb: 'null' }),
    fc.dictionary(hardText, hardText, { minKeys: 1, maxKeys: 4 }),
  ),
})

test('what is recorded together is counted once, in the month of its zone, and shown and priced as the database has it', async () => {
  const zones = [null, 'Asia/Kolkata', 'America/St_Johns']
  const property = fc.asyncProperty(
    fc.array(fc.array(sent, { minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 4 }),
    async (groups) => {
      const customers = [
        await customerIn(null),
        await customerIn(zones[1]!),
        await customerIn(zones[2]!),
      ]
      for (const group of groups) {
        const events = group.map(({ customer, minutes, micros, type, id, ...others }) => {
          const instant = new Date(Date.UTC(2026, 3, 1) + minutes * 60_000).toISOString()
          const eventDate = instant.replace('.000Z', `${micros}Z`)
          const key = eventKey(id)
          const eventId = key === id ? null : id
          return event(customers[customer]!, id, {
            ...{ eventKey: key, eventId, eventDate, eventTypeNo: types[type]!, ...others },
          })
        })
        const recorded = await Promise.all(events.map(calls.record))
        // Where some went the longer way, the month of the others was read before these were stored.
        const isOneTransaction = recorded.every(({ stored, bill }) => bill || !stored)
        for (const [at, { stored, bill }] of recorded.entries()) {
          const one = events[at]!
          if (!stored) continue
          expect(JSON.stringify(stored)).toBe(JSON.stringify(await findEvent(pool, one)))
          if (!bill || !isOneTransaction) continue
          expect(bill.bill.total.toFixed()).toBe(await totalOf(one.customerNo, stored.period))
        }
      }
      const [counted, stored] = await countedAndStored(customers)
      expect(counted).toEqual(stored)
    },
  )
  await fc.assert(property, { numRuns: 15, endOnFailure: true })
})

test('new events go the short way, also right after a group in which one was known', async () => {
  const customer = await customerIn(null)
  const { record } = groupCalls(pool)
  await record(event(customer, 'known'))
  const first = await Promise.all([event(customer, 'new'), event(customer, 'known')].map(record))
  expect(first.map(({ stored }) => stored?.event_id)).toEqual(['new', undefined])
  const later: Recorded[] = []
  for (const id of ['a', 'b', 'c', 'd']) later.push(await record(event(customer, id)))
  expect(later.at(-1)).toMatchObject({ stored: { event_id: 'd' } })
  expect(later.at(-1)?.bill?.bill.total.toFixed()).toBe('30')
  const [counted, stored] = await countedAndStored([customer])
  expect(counted).toEqual(stored)
})

test('an event counts in the month of the zone that the customer has now, not of the one it had', async () => {
  const customer = await customerIn('Asia/Kolkata')
  const lastOfMarch = { eventDate: '2026-03-31T20:00:00Z' }
  expect((await calls.record(event(customer, 'a', lastOfMarch))).stored?.period).toBe('2026-04')
  await database
    .pool()
    .query('update customers set timezone = null where customer_no = $1', [customer])
  await database
    .pool()
    .query(`update counted_usage set period = '2026-03' where customer_no = $1`, [customer])
  const { stored } = await calls.record(event(customer, 'b', lastOfMarch))
  expect(stored?.period).toBe('2026-03')
  expect((await countedAndStored([customer]))[0]).toMatchObject([
    { period: '2026-03', quantity: '2' },
  ])
})

test.each<[string, string]>([
  [
    'of a subscriber',
    `insert into subscriptions (customer_no, plan_version_id, start_at)
                       select $1, v.id, '2026-03-03Z' from plan_versions v
                       join organizations o on o.default_plan_id = v.plan_id where o.slug = 'fresh'`,
  ],
  [
    'with a tax of the customer',
    `insert into customer_taxes (customer_no, tax_rate_ids) select $1::int, '{}'`,
  ],
])('a month %s is left to be rated by itself', async (_case, statement) => {
  const customer = await customerIn(null)
  await database.pool().query(statement, [customer])
  const { stored, bill } = await calls.record(event(customer, 'e'))
  expect(parsePeriod(stored!.period)).toEqual({ year: 2026, month: 3 })
  expect(bill).toBeUndefined()
})

test('a month that holds an event with its own price is left to be rated by itself', async () => {
  const customer = await customerIn(null)
  await recordEvents(database.pool(), [event(customer, 'priced', { unitPrice: '7' })])
  expect((await calls.record(event(customer, 'plain'))).bill).toBeUndefined()
  expect(await totalOf(customer, '2026-03')).toBe('12')
})

test('while an upload waits to be counted its events are not left out of the month', async () => {
  const customer = await customerIn(null)
  const { rows } = await database.pool().query<{ upload_no: number }>(
    `insert into uploads (organization_id, filename, state, created_by, rows, accepted, completed_at)
     values ($1, 'f.csv', 'committed', gen_random_uuid(), 1, 1, now()) returning upload_no`,
    [organizationId],
  )
  await database.pool().query(
    `insert into events (customer_no, event_type_no, event_date, event_key, upload_no, line, segment_no)
     values ($1, $2, '2026-03-01Z', gen_random_uuid(), $3, 1, 1)`,
    [customer, types[0], rows[0]!.upload_no],
  )
  expect((await calls.record(event(customer, 'e'))).bill).toBeUndefined()
  expect(await totalOf(customer, '2026-03')).toBe('10')
  await database.pool().query('update uploads set usage_counted = true')
})
