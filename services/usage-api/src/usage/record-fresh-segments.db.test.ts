import {
  createOrganization,
  type FreshEvent,
  internCustomers,
  internEventTypes,
  type NewEvent,
  openSegmentsOf,
  recordFreshEvents,
} from '@billtrail/db'
import { eventKey } from '@billtrail/domain'
import { useTestDatabase } from '@billtrail/embedded/testing'
import { createLogger, createPool, inTransaction, type Pool, type Sql } from '@billtrail/platform'
import { groupCalls, type GroupedCalls } from './group-calls'

const database = useTestDatabase()
let pool: Pool
let calls: GroupedCalls

beforeAll(() => {
  const logger = createLogger({ service: 'test', level: 'silent' })
  pool = createPool({ url: database.url(), role: 'billtrail_usage', plansOnce: true, logger })
})
// Each knows nothing yet.
beforeEach(() => {
  calls = groupCalls(pool)
})
afterAll(() => pool.end())

interface Sender {
  readonly organizationId: string
  readonly customerNo: number
  readonly event: (id: string) => NewEvent
}

async function senderOf(slug: string): Promise<Sender> {
  const owner = database.pool()
  const organizationId = await createOrganization(owner, { slug })
  const [customerNo] = await internCustomers(owner, organizationId, [{ id: 'c', name: null }])
  const [eventTypeNo] = await internEventTypes(owner, organizationId, ['call'])
  const event = (id: string): NewEvent => ({
    ...{ customerNo: customerNo!, eventTypeNo: eventTypeNo!, eventKey: eventKey(id), eventId: id },
    ...{ eventDate: '2026-03-05T10:00:00Z', quantity: '1', unitPrice: null, properties: null },
  })
  return { organizationId, customerNo: customerNo!, event }
}

const leaveSegment = (sql: Sql, { organizationId }: Sender) =>
  sql.query('select leave_full_segment($1, 0)', [organizationId])

const openOf = async ({ organizationId }: Sender) =>
  (await openSegmentsOf(database.pool(), [organizationId])).get(organizationId)!

/** The events of a customer by their segments, and how many are counted. */
async function kept({ customerNo }: Sender): Promise<unknown> {
  const { rows } = await database.pool().query(
    `select (select coalesce(sum(events), 0)::int from usage where customer_no = $1) as counted,
            (select json_agg(json_build_array(segment_no, event_id) order by segment_no, event_id)
             from events where customer_no = $1) as stored`,
    [customerNo],
  )
  return rows[0]
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise(setImmediate)
}

/** Sends new events until one goes the short way again, which prices its month at once. */
async function sendUntilShort({ event }: Sender, name: string): Promise<string[]> {
  const sent: string[] = []
  for (;;) {
    sent.push(`${name} ${sent.length}`)
    if ((await calls.record(event(sent.at(-1)!))).bill) return sent
    expect(sent.length).toBeLessThan(40)
  }
}

test('calls of several organizations that arrive together are priced each by its own', async () => {
  const senders = [await senderOf('first-of-two'), await senderOf('second-of-two')]
  await leaveSegment(database.pool(), senders[1]!)
  await Promise.all(senders.map((sender) => calls.record(sender.event('e'))))
  const recorded = await Promise.all(senders.map((sender) => calls.record(sender.event('f'))))
  expect(recorded.map(({ bill }) => bill?.events)).toEqual([2, 2])
  for (const sender of senders) {
    const { segmentNo } = await openOf(sender)
    const stored = ['e', 'f'].map((id) => [segmentNo, id])
    expect(await kept(sender)).toEqual({ counted: 2, stored })
  }
})

test('events of an organization that has left a segment since it was asked are stored in the next, repeats of the left one nowhere', async () => {
  const sender = await senderOf('leaver')
  expect((await calls.record(sender.event('a'))).bill).toBeDefined()
  const left = (await openOf(sender)).segmentNo
  await leaveSegment(database.pool(), sender)

  const [again, next] = await Promise.all(['a', 'b'].map((id) => calls.record(sender.event(id))))
  expect([again!.stored, next!.stored?.event_id]).toEqual([undefined, 'b'])
  const more = await sendUntilShort(sender, 'c')
  // A repeat on the short way, which has to ask the sealed segment.
  expect((await calls.record(sender.event('a'))).stored).toBeUndefined()
  const { segmentNo } = await openOf(sender)
  const stored = [[left, 'a'], ...['b', ...more].map((id) => [segmentNo, id])]
  expect(await kept(sender)).toEqual({ counted: stored.length, stored })
})

test('a call that arrives while its organization leaves a segment is stored in the next', async () => {
  const sender = await senderOf('leaving')
  expect((await calls.record(sender.event('a'))).bill).toBeDefined()
  const left = (await openOf(sender)).segmentNo
  const { answer } = await inTransaction(database.pool(), async (client) => {
    await leaveSegment(client, sender)
    let isAnswered = false
    const sent = calls.record(sender.event('b')).finally(() => (isAnswered = true))
    await until(async () => {
      const { rows } = await database
        .pool()
        .query(`select from pg_locks where classid = 84205 and not granted`)
      return rows.length > 0 || isAnswered
    })
    // In a box, so that the transaction does not wait for it.
    return { answer: sent }
  })
  expect((await answer).stored?.event_id).toBe('b')
  const { segmentNo } = await openOf(sender)
  const stored = [
    [left, 'a'],
    [segmentNo, 'b'],
  ]
  expect(await kept(sender)).toEqual({ counted: 2, stored })
})

test('of a group nothing is stored where one event is not of the organization, segment or month it was taken for', async () => {
  const owner = database.pool()
  const [sender, other] = [await senderOf('taken-rightly'), await senderOf('taken-wrongly')]
  const freshOf = async (one: Sender, id: string): Promise<FreshEvent> => ({
    ...{ event: one.event(id), organizationId: one.organizationId },
    ...{ segment: await openOf(one), period: '2026-03' },
  })
  const right = await freshOf(sender, 'right')
  const plain = await freshOf(other, 'wrong')
  await leaveSegment(owner, other)
  const moved = await freshOf(other, 'wrong')
  const wrong: FreshEvent[] = [
    { ...plain, event: { ...plain.event } },
    { ...moved, segment: { ...moved.segment, isOnly: true } },
    { ...moved, segment: { ...plain.segment, isOnly: false } },
    { ...moved, organizationId: right.organizationId, segment: right.segment },
    { ...moved, period: '2026-04' },
  ]
  const tools = { pool, sql: pool, typeNames: new Map<number, string>(), plans: new Map() }
  for (const one of wrong) await expect(recordFreshEvents(tools, [right, one])).rejects.toThrow()
  for (const one of [sender, other]) expect(await kept(one)).toEqual({ counted: 0, stored: null })
  await recordFreshEvents(tools, [right, moved])
  for (const one of [sender, other]) expect(await kept(one)).toMatchObject({ counted: 1 })
})
