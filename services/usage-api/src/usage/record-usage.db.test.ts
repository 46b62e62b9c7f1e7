import { type Answer, useUsageApi } from '../testing/use-usage-api'
import { UsageAnswer } from './usage.schema'

const api = useUsageApi()
const register = async (id: string): Promise<void> => {
  await api.client().call('post', '/v1/customers', { id }).expect(201)
}
const post = (id: string, body: object) =>
  api.client().call('post', `/v1/customers/${id}/usage`, body)
const read = (answer: Answer) => UsageAnswer.parse(answer.body)
const month = (id: string, period: string) =>
  api.client().call('get', `/v1/customers/${id}/usage/${period}`)

test('usage is recorded and the answer says what the month comes to', async () => {
  await register('123')
  const event = {
    event_type: 'call',
    event_id: 'e1',
    event_date: '2026-03-05T10:00:00+02:00',
    quantity: 350,
  }
  const { body } = await post('123', {
    ...event,
    properties: { region: 'eu', tries: 2, empty: '' },
  }).expect(201)
  expect(body).toEqual({
    event: {
      customer_id: '123',
      event_type: 'call',
      event_id: 'e1',
      event_date: '2026-03-05T08:00:00.000000Z',
      quantity: '350',
      unit_price: null,
      properties: { region: 'eu', tries: '2' },
      generated: [],
    },
    month: {
      id: '123:2026-03',
      customer: '123',
      month: 3,
      year: 2026,
      accumulated_price: '1050.00',
      price_in_dollars: '$1,050.00',
    },
  })
})

test('sent again it is a duplicate, however its values are spelled, and the price stays the total', async () => {
  await register('again')
  const event = {
    event_type: 'call',
    event_id: 'e1',
    event_date: '2026-03-05T00:00:00Z',
    quantity: '1.50',
  }
  const first = await post('again', event).expect(201)
  const second = await post('again', {
    ...event,
    quantity: 1.5,
    event_date: '2026-03-05 01:00:00+01',
  }).expect(200)
  expect(second.body).toEqual({ ...read(first), duplicate: true })

  const more = await post('again', { ...event, event_id: 'e2' }).expect(201)
  expect(read(more).month).toMatchObject({
    accumulated_price: '15.00',
    price_in_dollars: '$15.00',
  })
  const third = await post('again', event).expect(200)
  expect(read(third).month).toEqual(read(more).month)
})

test('the same id with other content is a conflict that shows both values and changes nothing', async () => {
  await register('conflict')
  const event = {
    event_type: 'call',
    event_id: 'e1',
    event_date: '2026-03-05T00:00:10Z',
    quantity: '5',
  }
  await post('conflict', event).expect(201)
  const { body } = await post('conflict', {
    ...event,
    quantity: '7',
    unit_price: '0.1',
  }).expect(409)
  expect(body).toMatchObject({
    code: 'event_conflict',
    errors: [
      { field: 'quantity', message: 'stored "5", sent "7"' },
      { field: 'unit_price', message: 'stored null, sent "0.1"' },
    ],
  })
  expect((await month('conflict', '2026-03')).body).toMatchObject({ accumulated_price: '25.00' })
})

test('without an id or a date both come from the server, and it says so', async () => {
  await register('curl')
  const first = read(await post('curl', { event_type: 'call' }).expect(201)).event
  expect(first).toMatchObject({ quantity: '1', generated: ['event_id', 'event_date'] })
  expect(Math.abs(Date.parse(first.event_date) - Date.now())).toBeLessThan(60_000)
  const second = read(await post('curl', { event_type: 'call' }).expect(201)).event
  expect(second.event_id).not.toBe(first.event_id)
})

test('an idempotency key stands for an id: the repeat is a duplicate although its date was left out', async () => {
  await register('keyed')
  const send = (quantity: string) =>
    post('keyed', { event_type: 'call', quantity }).set('idempotency-key', 'order 17')
  const first = await send('2').expect(201)
  const second = await send('2').expect(200)
  expect(second.body).toEqual({ ...read(first), duplicate: true })
  expect(read(first).event.generated).toEqual(['event_id', 'event_date'])

  const other = await send('3').expect(409)
  expect(other.body).toMatchObject({
    errors: [{ field: 'quantity', message: 'stored "2", sent "3"' }],
  })
  await register('keyed-too')
  await post('keyed-too', { event_type: 'call' }).set('idempotency-key', 'order 17').expect(201)
  await post('keyed', { event_type: 'call' }).set('idempotency-key', 'k'.repeat(256)).expect(422)
})

test.each([
  ['with all its fields', { event_id: 'one', event_date: '2026-03-01T00:00:00Z' }, ''],
  ['without a date', { event_id: 'two' }, ''],
  ['by an idempotency key alone', {}, 'three'],
])('eight clients that post the same event at once, %s, count once', async (name, fields, key) => {
  const id = `eight ${name}`
  await register(id)
  const path = `/v1/customers/${encodeURIComponent(id)}/usage`
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => {
      const call = api.client().call('post', path, { event_type: 'call', quantity: '2', ...fields })
      return key === '' ? call : call.set('idempotency-key', key)
    }),
  )
  expect(answers.map((answer) => answer.status).sort()).toEqual([
    ...Array<number>(7).fill(200),
    201,
  ])
  expect(answers.filter((answer) => read(answer).duplicate === true)).toHaveLength(7)
  expect(new Set(answers.map((answer) => JSON.stringify(read(answer).event))).size).toBe(1)
  expect(new Set(answers.map((answer) => read(answer).month.accumulated_price))).toEqual(
    new Set(['10.00']),
  )
  const { rows } = await api.owner().query(
    `select trim_scale(sum(quantity)) as quantity, sum(events) as events,
            (select count(*) from events e where e.customer_no = c.customer_no) as stored,
            (select count(*) from event_claims e where e.customer_no = c.customer_no) as claims
     from usage join customers c using (customer_no) where c.id = $1 group by c.customer_no`,
    [id],
  )
  expect(rows).toEqual([{ quantity: '2', events: '1', stored: '1', claims: '0' }])
})

test.each([
  ['an unknown customer', 'nobody'],
  ['a customer of another organization', 'theirs'],
])('%s is not found, and nothing is made of it', async (_case, id) => {
  const other = await api.addOrganization(`org-${id}`)
  if (id === 'theirs') await other.call('post', '/v1/customers', { id }).expect(201)
  const refused = await post(id, { event_type: 'call' }).expect(404)
  expect(refused.body).toMatchObject({ code: 'customer_not_found' })
  await month(id, '2026-03').expect(404)
  const { rows } = await api
    .owner()
    .query('select from customers where organization_id = $1 and id = $2', [
      api.client().organizationId,
      id,
    ])
  expect(rows).toEqual([])
})

test.each([
  ['a quantity that is no number', { quantity: 'half' }, 'quantity'],
  ['a quantity with an exponent', { quantity: 1e30 }, 'quantity'],
  ['more digits than a binary number keeps', { quantity: 1234567890.123456 }, 'quantity'],
  ['an empty event type', { event_type: ' ' }, 'event_type'],
  ['a day that does not exist', { event_date: '2026-02-30' }, 'event_date'],
  ['a day far ahead', { event_date: '2190-01-01' }, 'event_date'],
  ['a property of our own name', { properties: { quantity: '1' } }, 'properties.quantity'],
])('%s is refused by its field', async (_case, fields, field) => {
  await api.client().call('post', '/v1/customers', { id: 'refused' })
  const { body } = await post('refused', { event_type: 'call', ...fields }).expect(422)
  expect(body).toMatchObject({ code: 'invalid_event', errors: [{ field }] })
})

test('every field at fault is named at once, and JSON of the wrong shape is refused', async () => {
  await api.client().call('post', '/v1/customers', { id: 'refused' })
  const { body } = await post('refused', {
    event_type: '',
    quantity: '',
    event_date: 'x',
  }).expect(422)
  expect(body).toMatchObject({
    errors: [{ field: 'event_type' }, { field: 'event_date' }, { field: 'quantity' }],
  })
  await post('refused', { event_type: 'call', properties: { a: { b: 1 } } }).expect(422)
  await post('refused', { event_type: 'call', quantty: 1 }).expect(422)
})

test('UsageTracker: August 2023 comes to 9.20 for Alice and 16.61 for Bob, and July is a month of its own', async () => {
  const records = [
    ['Alice', 'Database Hosting', '58', '0.05', '2023-08-09'],
    ['Bob', 'Load Balancer', '27', '0.03', '2023-08-10'],
    ['Bob', 'Load Balancer', '27', '0.03', '2023-08-12'],
    ['Alice', 'Linux Instance', '42', '0.15', '2023-08-12'],
    ['Alice', 'CDN Storage', '15', '0.02', '2023-07-23'],
    ['Bob', 'Domain Name Registration', '1', '14.99', '2023-08-08'],
  ] as const
  for (const id of ['Alice', 'Bob', 'Taylor']) await register(id)
  for (const [at, [id, event_type, quantity, unit_price, event_date]] of records.entries()) {
    await post(id, { event_id: `r${at}`, event_type, quantity, unit_price, event_date }).expect(201)
  }
  expect((await month('Alice', '2023-08')).body).toEqual({
    customer: 'Alice',
    month: 8,
    year: 2023,
    accumulated_price: '9.20',
    price_in_dollars: '$9.20',
    currency: 'USD',
    event_types: [
      { event_type: 'Database Hosting', quantity: '58', events: 1 },
      { event_type: 'Linux Instance', quantity: '42', events: 1 },
    ],
  })
  expect((await month('Alice', '2023-07')).body).toMatchObject({ accumulated_price: '0.30' })
  expect((await month('Bob', '2023-08')).body).toMatchObject({ price_in_dollars: '$16.61' })
  expect((await month('Taylor', '2023-08')).body).toMatchObject({
    accumulated_price: '0.00',
    price_in_dollars: '$0.00',
    event_types: [],
  })
  const repeat = await post('Bob', {
    event_id: 'r5',
    event_type: 'Domain Name Registration',
    quantity: '1',
    unit_price: '14.990',
    event_date: '2023-08-08T00:00:00Z',
  }).expect(200)
  expect(repeat.body).toMatchObject({ duplicate: true, month: { price_in_dollars: '$16.61' } })
})

test('31 January, the whole of February and 1 March are three months', async () => {
  await register('ends')
  for (const [at, event_date] of [
    '2026-01-31T23:59:59.999999Z',
    '2026-02-28',
    '2026-03-01',
  ].entries()) {
    const { body } = await post('ends', {
      event_type: 'call',
      event_id: `e${at}`,
      event_date,
    }).expect(201)
    expect(body).toMatchObject({ month: { month: at + 1, year: 2026, accumulated_price: '5.00' } })
  }
  await month('ends', '2026-13').expect(422)
})

test("the month is that of the customer's zone; a date without an offset is read in the organization's", async () => {
  await api
    .client()
    .call('post', '/v1/customers', { id: 'kolkata', timezone: 'Asia/Kolkata' })
    .expect(201)
  const { body } = await post('kolkata', {
    event_type: 'call',
    event_date: '2026-03-31 23:00:00',
  }).expect(201)
  expect(body).toMatchObject({
    event: { event_date: '2026-03-31T23:00:00.000000Z' },
    month: { id: 'kolkata:2026-04', month: 4 },
  })
})

test('a call ends though its event type is gone from the database', async () => {
  await register('set-back')
  const event = { event_type: 'set-back', event_date: '2026-03-05T00:00:00Z' }
  await post('set-back', event).expect(201)
  // As in a database that was set back to an earlier moment while the service ran.
  await api.owner().query(`delete from event_types where name = 'set-back'`)
  await post('set-back', { ...event, unit_price: '2' }).expect(500)
})
