import {
  createOrganization,
  internCustomers,
  internEventTypes,
  type NewEvent,
  recordEvents,
  storeNewEvents,
  wasHeld,
} from '@billtrail/db'
import { eventKey } from '@billtrail/domain'
import { useTestDatabase } from '@billtrail/embedded/testing'
import { createLogger, createPool, inTransaction } from '@billtrail/platform'
import type { Pool } from 'pg'
import { type GroupedCalls, groupCalls } from './group-calls'

const database = useTestDatabase()
let pool: Pool
let calls: GroupedCalls
let organizationId: string
let eventTypeNo: number

beforeAll(async () => {
  const logger = createLogger({ service: 'test', level: 'silent' })
  pool = createPool({ url: database.url(), role: 'billtrail_usage', plansOnce: true, logger })
  calls = groupCalls(pool)
  organizationId = await createOrganization(database.pool(), { slug: 'together' })
  eventTypeNo = (await internEventTypes(database.pool(), organizationId, ['call']))[0]!
})
afterAll(() => pool.end())

const store = async (one: NewEvent) => (await calls.record(one)).stored

const customersOf = (organization: string, ids: readonly string[]): Promise<number[]> =>
  internCustomers(
    database.pool(),
    organization,
    ids.map((id) => ({ id, name: null })),
  )

const event = (customerNo: number, id: string, fields: Partial<NewEvent> = {}): NewEvent => ({
  customerNo,
  eventTypeNo,
  eventKey: eventKey(id),
  eventId: id,
  eventDate: '2026-03-05T10:00:00Z',
  quantity: '1',
  unitPrice: null,
  properties: null,
  ...fields,
})

const usageOf = async (customerNo: number): Promise<unknown> => {
  const { rows } = await database.pool().query(
    `select trim_scale(sum(quantity))::text as quantity, sum(events)::int as events,
            (select count(*)::int from events where customer_no = $1 and upload_no = 0 and line = 1) as stored
     from usage where customer_no = $1`,
    [customerNo],
  )
  return rows[0]
}

/** Stores events as an upload does, in a transaction that stays open until the job is over; then they are gone again. */
async function whileHeld(events: readonly NewEvent[], job: () => Promise<void>): Promise<void> {
  const undo = new Error('undo')
  const held = inTransaction(database.pool(), async (client) => {
    for (const one of events) await storeNewEvents(client, [one], [1])
    await job()
    throw undo
  })
  await expect(held).rejects.toBe(undo)
}

test('of events with one key that arrive together the first is stored and counted, the others are not', async () => {
  const [customer] = await customersOf(organizationId, ['same key'])
  const sent = ['5', '7', '5.0'].map((quantity) => event(customer!, 'e', { quantity }))
  const [first, ...others] = await Promise.all(sent.map(store))
  expect(first).toEqual({
    event_id: 'e',
    event_type: 'call',
    event_date: '2026-03-05T10:00:00.000000Z',
    quantity: '5',
    unit_price: null,
    properties: {},
    period: '2026-03',
  })
  expect(others).toEqual([undefined, undefined])
  expect(await usageOf(customer!)).toEqual({ quantity: '5', events: 1, stored: 1 })
})

test('each of many events that arrive together is counted in its own month of its own customer', async () => {
  const customers = await customersOf(
    organizationId,
    Array.from({ length: 30 }, (_, at) => `many ${at}`),
  )
  const sent = customers.flatMap((customer, at) =>
    Array.from({ length: 20 }, (_, n) => event(customer, `e${n}`, { quantity: `${at + 1}` })),
  )
  const stored = await Promise.all(sent.map(store))
  expect(stored.map((one) => one?.quantity)).toEqual(sent.map((one) => one.quantity))
  const months = customers.map((customerNo) => ({ customerNo, period: '2026-03' }))
  const rated = await Promise.all(months.map((month) => calls.rate(organizationId, month)))
  expect(rated.map((month) => month?.customerNo)).toEqual(customers)
  expect(rated.map((month) => month?.types)).toEqual(
    customers.map((_customer, at) => [
      { eventType: 'call', quantity: `${20 * (at + 1)}`, events: 20 },
    ]),
  )
})

test('events that an upload holds wait by themselves, more than there are connections; the others are stored and rated', async () => {
  const names = Array.from({ length: 12 }, (_, at) => at)
  const held = await customersOf(
    organizationId,
    names.map((at) => `held ${at}`),
  )
  const free = await customersOf(
    organizationId,
    names.map((at) => `free ${at}`),
  )
  const heldEvents = held.map((customer) => event(customer, 'held'))
  const settled: NewEvent[] = []
  let waiting: Promise<unknown>[] = []

  await whileHeld(heldEvents, async () => {
    const together = names.flatMap((at) => [heldEvents[at]!, event(free[at]!, 'e')])
    const answers = together.map((one) => store(one).finally(() => settled.push(one)))
    waiting = answers.filter((_answer, at) => together[at]!.eventId === 'held')
    const others = await Promise.all(answers.filter((_, at) => together[at]!.eventId === 'e'))
    expect(others.every((one) => one?.period === '2026-03')).toBe(true)

    const later = [...free, ...held].map((customer) => store(event(customer, 'later')))
    expect((await Promise.all(later.slice(0, 12))).every((one) => one !== undefined)).toBe(true)
    const month = await calls.rate(organizationId, { customerNo: free[0]!, period: '2026-03' })
    expect(month?.events).toBe(2)
    expect(settled.filter((one) => one.eventId === 'held')).toEqual([])
    waiting.push(...later.slice(12))
  })
  expect((await Promise.all(waiting)).every((one) => one !== undefined)).toBe(true)
  for (const customer of [...held, ...free]) {
    expect(await usageOf(customer)).toEqual({ quantity: '2', events: 2, stored: 2 })
  }
})

test('an event that the database refuses fails alone', async () => {
  const [customer] = await customersOf(organizationId, ['refused'])
  const sent = [
    event(customer!, 'a'),
    event(customer!, 'b', { eventDate: 'no date' }),
    event(customer!, 'c'),
  ]
  const [a, b, c] = await Promise.allSettled(sent.map(store))
  expect([a!.status, b!.status, c!.status]).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(await usageOf(customer!)).toEqual({ quantity: '2', events: 2, stored: 2 })
})

test('an event that arrives in the moment its segment is made waits for it', async () => {
  const owner = database.pool()
  const organization = await createOrganization(owner, { slug: 'segment-made' })
  const [customer] = await customersOf(organization, ['early'])
  const [type] = await internEventTypes(owner, organization, ['call'])
  const early = event(customer!, 'early', { eventTypeNo: type! })
  const goOnIn = (segment: number) =>
    owner.query('update event_segments set segment_no = $2 where organization_id = $1', [
      organization,
      segment,
    ])

  await goOnIn(9_999)
  const refusal: unknown = await storeNewEvents(pool, [early], [1]).catch((error: unknown) => error)
  expect(refusal).toMatchObject({ message: expect.stringMatching(/no partition/) as unknown })
  expect(wasHeld(refusal)).toBe(true)
  const answer = store(early)
  await goOnIn(1)
  expect(await answer).toMatchObject({ event_id: 'early' })
  expect(await usageOf(customer!)).toEqual({ quantity: '1', events: 1, stored: 1 })
})

test('a month without a plan refuses those who ask for it; the others are priced', async () => {
  const owner = database.pool()
  const organization = await createOrganization(owner, { slug: 'half-priced' })
  const [priced, unpriced] = await customersOf(organization, ['priced', 'unpriced'])
  await owner.query(
    `insert into subscriptions (customer_no, plan_version_id, start_at)
     select $1, v.id, '2020-01-01Z' from plan_versions v
     join organizations o on o.default_plan_id = v.plan_id where o.id = $2`,
    [priced, organization],
  )
  await owner.query('update organizations set default_plan_id = null where id = $1', [organization])
  const [type] = await internEventTypes(owner, organization, ['call'])
  await recordEvents(owner, [event(priced!, 'e', { eventTypeNo: type! })])

  const period = '2026-03'
  const asked = [unpriced!, priced!, unpriced!].map((customerNo) =>
    calls.rate(organization, { customerNo, period }),
  )
  const strangers = calls.rate(organizationId, { customerNo: priced!, period })
  const [first, second, third] = await Promise.allSettled(asked)
  expect(second).toMatchObject({ status: 'fulfilled', value: { customerNo: priced, events: 1 } })
  for (const refused of [first, third]) {
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'no_default_plan' } })
  }
  expect(await strangers).toBeUndefined()
})
