import { type IngestClient, problemIn } from '../testing/ingest-client'
import { countEvents } from '../testing/imbalances.repo'
import { usageRows } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'

const api = useIngestApi()
const EVENT = { event_type: 'call', event_date: '2025-10-01T00:00:00Z' }

interface Sent {
  readonly customer_id: string
  readonly event_id: string
  readonly quantity: string
}

/** The same for the same seed. */
function drawn(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

/** A request of a few customers and ids, some twice, some of them with another quantity. */
function requestOf(draw: (below: number) => number): Sent[] {
  return Array.from({ length: 1 + draw(40) }, () => ({
    customer_id: `c${draw(4)}`,
    event_id: draw(2) === 0 ? `e${draw(60)}` : `0b1c2d3e-4f50-4162-8374-95a6b7c8d9${10 + draw(60)}`,
    quantity: ['1', '1.0', '2', '3'][draw(4)]!,
  }))
}

const keyOf = (event: Sent) => `${event.customer_id} ${event.event_id}`

test.each([1, 2, 3])(
  'requests of two organizations that arrive at once end as if one had come after the other (%i)',
  async (seed) => {
    const draw = drawn(seed)
    const clients = [await api.addClient(), await api.addClient()] as const
    const requests = Array.from({ length: 40 }, (_request, at) => ({
      client: clients[at % 2]!,
      events: requestOf(draw),
    }))
    const answers = await Promise.all(
      requests.map(({ client, events }) =>
        client.postEvents(events.map((event) => ({ ...EVENT, ...event }))),
      ),
    )
    for (const client of clients) {
      const theirs = requests
        .map(({ client: sender, events }, at) => ({ sender, events, answer: answers[at]! }))
        .filter(({ sender }) => sender === client)
      const accepted = new Map<string, string>()
      for (const { events, answer } of theirs) {
        expect(answer.results.map(({ index }) => index)).toEqual(events.map((_event, at) => at))
        for (const { index, status, customer_id, event_id } of answer.results) {
          const event = events[index]!
          expect([customer_id, event_id]).toEqual([event.customer_id, event.event_id])
          if (status !== 'accepted') continue
          expect(accepted.has(keyOf(event))).toBe(false)
          accepted.set(keyOf(event), event.quantity)
        }
      }
      const keys = new Set(theirs.flatMap(({ events }) => events.map(keyOf)))
      expect(accepted.size).toBe(keys.size)
      for (const { events, answer } of theirs) {
        const told = { accepted: 0, duplicate: 0, conflict: 0, rejected: 0 }
        for (const { index, status } of answer.results) {
          told[status]++
          if (status === 'accepted') continue
          const kept = accepted.get(keyOf(events[index]!))!
          const isSame = Number(kept) === Number(events[index]!.quantity)
          expect(status).toBe(isSame ? 'duplicate' : 'conflict')
        }
        expect(answer).toMatchObject({
          accepted: told.accepted,
          duplicates: told.duplicate,
          conflicts: told.conflict,
          rejected: 0,
        })
      }
      const stored = await client.events()
      expect(new Map(stored.map((event) => [keyOf(event), Number(event.quantity)]))).toEqual(
        new Map([...accepted].map(([key, quantity]) => [key, Number(quantity)])),
      )
    }
  },
)

test('each event is kept with its position in its own request, whatever it was stored with', async () => {
  const client = await api.addClient()
  const requests = Array.from({ length: 12 }, (_request, at) => usageRows(5, `request-${at}`))
  await Promise.all(requests.map((rows) => client.postEvents(rows)))
  const stored = await client.events()
  expect(stored).toHaveLength(60)
  for (const { event_id, source } of stored) {
    expect(source).toEqual({
      upload_id: null,
      filename: null,
      line: 1 + Number(event_id.split('-').at(-1)),
    })
  }
})

/** Holds the key of an event as an upload does that is being stored; whoever wants it waits. */
async function holdKey(client: IngestClient, event: Sent): Promise<{ letGo(): Promise<void> }> {
  const first = await client.postEvents({ ...EVENT, ...event, event_id: 'first' })
  expect(first.accepted).toBe(1)
  const sql = await api.owner().connect()
  await sql.query('begin')
  await sql.query(
    `insert into events (customer_no, event_type_no, event_date, event_key, upload_no, line, quantity, segment_no)
     select e.customer_no, e.event_type_no, e.event_date, $2::uuid, 0, 1, 1, e.segment_no
     from events e join customers c on c.customer_no = e.customer_no where c.organization_id = $1`,
    [client.organizationId, event.event_id],
  )
  return {
    async letGo() {
      await sql.query('rollback')
      sql.release()
    },
  }
}

const HELD = { customer_id: 'c0', event_id: '0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0', quantity: '1' }

test('a request whose key an upload holds neither fails nor holds up the requests beside it', async () => {
  const client = await api.addClient()
  const key = await holdKey(client, HELD)
  let isHeldAnswered = false
  const held = client.postEvents({ ...EVENT, ...HELD }).finally(() => (isHeldAnswered = true))
  const others = Array.from({ length: 10 }, (_request, at) => usageRows(3, `beside-${at}`))
  try {
    const answers = await Promise.all(others.map((rows) => client.postEvents(rows)))
    expect(answers.map((answer) => answer.accepted)).toEqual(Array(10).fill(3))
    expect(await client.postEvents(usageRows(3, 'later'))).toMatchObject({ accepted: 3 })
    expect(isHeldAnswered).toBe(false)
  } finally {
    await key.letGo()
  }
  expect(await held).toMatchObject({ accepted: 1 })
  expect(await countEvents(api.owner(), client.organizationId)).toBe(1 + 30 + 3 + 1)
})

test('one request of a group that the database refuses fails by itself', async () => {
  const client = await api.addClient()
  const sql = api.owner()
  await sql.query(
    `create function refuse() returns trigger language plpgsql as $$ begin
       if new.event_id = 'refused' then raise exception 'no' using errcode = '22000'; end if; return new;
     end $$`,
  )
  await sql.query(
    'create trigger refuse before insert on events for each row execute function refuse()',
  )
  try {
    const send = (id: string) =>
      client.call('POST', '/v1/events', {
        body: JSON.stringify({ ...EVENT, customer_id: 'c0', event_id: id }),
        headers: { 'content-type': 'application/json' },
      })
    const ids = ['a', 'b', 'refused', 'c', 'd', 'e']
    const answers = await Promise.all(ids.map(send))
    expect(answers.map((answer) => answer.status)).toEqual([201, 201, 500, 201, 201, 201])
    expect(problemIn(answers[2]!)).toMatchObject({ code: 'internal' })
    expect(await countEvents(sql, client.organizationId)).toBe(5)
  } finally {
    await sql.query('drop trigger refuse on events; drop function refuse')
  }
})

test('a claim of each content that was sent besides a file’s is noted once', async () => {
  const client = await api.addClient()
  const [row] = usageRows(1, 'file')
  await client.upload(
    `customer_id,event_type,event_id,event_date,quantity\n${Object.values(row!).join(',')}\n`,
  )
  const send = (quantity: string) => client.postEvents({ ...row, quantity })
  const quantities = ['7', '8', '7.0', '8', row!.quantity, row!.quantity]
  await Promise.all(quantities.map(send))
  await Promise.all(quantities.map(send))
  const { rows: claims } = await api.owner().query<{ outcome: string; quantity: string | null }>(
    `select k.outcome, trim_scale(k.quantity) as quantity
     from event_claims k join customers c on c.customer_no = k.customer_no
     where c.organization_id = $1 and k.upload_no = 0 order by k.outcome, k.quantity`,
    [client.organizationId],
  )
  expect(claims).toEqual([
    { outcome: 'conflict', quantity: '7' },
    { outcome: 'conflict', quantity: '8' },
    { outcome: 'duplicate', quantity: null },
  ])
})

test('a customer’s name that comes later fills in where there is none, also for one that is known', async () => {
  const client = await api.addClient()
  const nameOf = async () => {
    const { rows } = await api
      .owner()
      .query<{ name: string | null }>('select name from customers where organization_id = $1', [
        client.organizationId,
      ])
    return rows.map((row) => row.name)
  }
  const send = (event_id: string, more = {}) =>
    client.postEvents({ ...EVENT, customer_id: 'c0', event_id, ...more })
  await send('e1')
  await send('e2')
  expect(await nameOf()).toEqual([null])
  await send('e3', { customer_name: 'Acme' })
  expect(await nameOf()).toEqual(['Acme'])
})

test('dates without an offset are read in the organization’s zone, as it is at that moment', async () => {
  const client = await api.addClient()
  const send = (event_id: string, event_date: string) =>
    client.postEvents([
      {
        event_type: 'call',
        customer_id: 'c0',
        event_id: `${event_id}-z`,
        event_date: '2025-07-01T00:00:00Z',
      },
      { event_type: 'call', customer_id: 'c0', event_id, event_date },
    ])
  await send('utc', '2025-07-02 12:00:00')
  await api
    .owner()
    .query(`update organizations set timezone = 'Europe/Berlin' where id = $1`, [
      client.organizationId,
    ])
  await send('berlin', '   2025-07-02 12:00:00 ')
  await send('offset', '2025-07-02 12:00:00+02')
  const dates = new Map((await client.events()).map((event) => [event.event_id, event.event_date]))
  expect(dates.get('utc')).toBe('2025-07-02T12:00:00.000000Z')
  expect(dates.get('berlin')).toBe('2025-07-02T10:00:00.000000Z')
  expect(dates.get('offset')).toBe('2025-07-02T10:00:00.000000Z')
  expect(dates.get('berlin-z')).toBe('2025-07-01T00:00:00.000000Z')
})
