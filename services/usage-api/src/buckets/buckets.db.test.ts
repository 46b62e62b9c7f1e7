import { useUsageApi } from '../testing/use-usage-api'
import { BucketsAnswer } from './buckets.schema'

const api = useUsageApi()
const register = async (id: string, timezone?: string): Promise<void> => {
  await api.client().call('post', '/v1/customers', { id, timezone }).expect(201)
}
let sent = 0
const post = async (id: string, event_date: string, fields: object = {}): Promise<void> => {
  await api
    .client()
    .call('post', `/v1/customers/${id}/usage`, {
      event_id: `e${sent++}`,
      event_type: 'call',
      event_date,
      ...fields,
    })
    .expect(201)
}
const ask = (path: string, query: Record<string, string>) =>
  api.client().call('get', `${path}?${new URLSearchParams(query).toString()}`)
const buckets = (id: string, query: Record<string, string>) =>
  ask(`/v1/customers/${id}/usage`, query)

const rowsOf = (body: unknown) => BucketsAnswer.parse(body).data
const counts = (body: unknown): [string, number][] =>
  rowsOf(body).map((row) => [row.start, row.events])

test('CSV-Reader: four events from 03:00 to 06:00 make hours of 1, 2 and 1', async () => {
  await register('reader')
  for (const time of ['03:01', '04:29', '04:15', '05:08'])
    await post('reader', `2021-03-01T${time}:00Z`)
  const { body } = await buckets('reader', {
    bucket: 'hour',
    start_date: '2021-03-01T03:00:00Z',
    end_date: '2021-03-01T06:00:00Z',
  }).expect(200)
  expect(body).toEqual({
    data: [
      { start: '2021-03-01T03:00:00Z', quantity: '1', events: 1 },
      { start: '2021-03-01T04:00:00Z', quantity: '2', events: 2 },
      { start: '2021-03-01T05:00:00Z', quantity: '1', events: 1 },
    ],
    next_cursor: null,
    customer: 'reader',
    bucket: 'hour',
    timezone: 'UTC',
    start_date: '2021-03-01T03:00:00Z',
    end_date: '2021-03-01T06:00:00Z',
  })
})

test('the range is half-open to the microsecond, and only what lies in it counts', async () => {
  await register('edges')
  await post('edges', '2026-05-01T10:30:00.000000Z')
  await post('edges', '2026-05-01T10:29:59.999999Z')
  await post('edges', '2026-05-01T11:59:59.999999Z')
  await post('edges', '2026-05-01T12:00:00Z')
  const { body } = await buckets('edges', {
    bucket: 'hour',
    start_date: '2026-05-01T10:30:00Z',
    end_date: '2026-05-01T12:00:00Z',
  }).expect(200)
  expect(counts(body)).toEqual([
    ['2026-05-01T10:00:00Z', 1],
    ['2026-05-01T11:00:00Z', 1],
  ])
  const whole = await buckets('edges', { bucket: 'hour' }).expect(200)
  expect(whole.body).toMatchObject({
    start_date: '2026-05-01T10:00:00Z',
    end_date: '2026-05-01T13:00:00Z',
  })
  expect(counts(whole.body)).toEqual([
    ['2026-05-01T10:00:00Z', 2],
    ['2026-05-01T11:00:00Z', 1],
    ['2026-05-01T12:00:00Z', 1],
  ])
})

test('a 25-hour day has 25 hours, and each hour of the night holds its own event', async () => {
  await register('berlin', 'Europe/Berlin')
  await post('berlin', '2026-10-25T00:30:00Z')
  await post('berlin', '2026-10-25T01:30:00Z')
  const day = { start_date: '2026-10-25', end_date: '2026-10-26', fill: 'zero' }
  const { body } = await buckets('berlin', { ...day, bucket: 'hour' }).expect(200)
  expect(rowsOf(body)).toHaveLength(25)
  expect(body).toMatchObject({ timezone: 'Europe/Berlin', start_date: '2026-10-24T22:00:00Z' })
  expect(counts(body).filter(([, events]) => events > 0)).toEqual([
    ['2026-10-25T00:00:00Z', 1],
    ['2026-10-25T01:00:00Z', 1],
  ])
  const days = await buckets('berlin', { ...day, bucket: 'day' }).expect(200)
  expect(counts(days.body)).toEqual([['2026-10-24T22:00:00Z', 2]])
})

test('months are those that bills are made of', async () => {
  await register('lordhowe', 'Australia/Lord_Howe')
  await post('lordhowe', '2026-03-31T12:59:59Z', { quantity: '1.5' })
  await post('lordhowe', '2026-03-31T13:00:00Z', { quantity: '2' })
  const { body } = await buckets('lordhowe', { bucket: 'month' }).expect(200)
  expect(rowsOf(body)).toEqual([
    { start: '2026-02-28T13:00:00Z', quantity: '1.5', events: 1 },
    { start: '2026-03-31T13:00:00Z', quantity: '2', events: 1 },
  ])
  const april = await api.client().call('get', '/v1/customers/lordhowe/usage/2026-04').expect(200)
  expect(april.body).toMatchObject({
    event_types: [{ event_type: 'call', quantity: '2', events: 1 }],
  })
})

test('one event type can be asked for, and an unknown one has no usage', async () => {
  await register('types')
  await post('types', '2026-05-01T00:00:00Z')
  await post('types', '2026-05-01T00:00:00Z', { event_type: 'mail', quantity: '7' })
  const mail = await buckets('types', { event_type: 'mail' }).expect(200)
  expect(rowsOf(mail.body)).toEqual([{ start: '2026-05-01T00:00:00Z', quantity: '7', events: 1 }])
  const none = await buckets('types', { event_type: 'fax' }).expect(200)
  expect(none.body).toMatchObject({ data: [], start_date: null, end_date: null })
})

test('a customer without usage has no buckets, or empty ones', async () => {
  await register('idle')
  expect(rowsOf((await buckets('idle', {}).expect(200)).body)).toEqual([])
  const filled = await buckets('idle', {
    start_date: '2026-01-31',
    end_date: '2026-03-02',
    bucket: 'month',
    fill: 'zero',
  }).expect(200)
  expect(rowsOf(filled.body)).toEqual(
    ['01', '02', '03'].map((month) => ({
      start: `2026-${month}-01T00:00:00Z`,
      quantity: '0',
      events: 0,
    })),
  )
})

test.each([
  [{ start_date: 'yesterday' }, 'invalid_range', 'start_date'],
  [{ start_date: '2026-02-01', end_date: '2026-01-01' }, 'invalid_range', 'end_date'],
  [
    { bucket: 'hour', start_date: '2000-01-01', end_date: '2026-01-01' },
    'too_many_buckets',
    'bucket',
  ],
  [{ bucket: 'week' }, 'invalid_request', 'bucket'],
])('%j is refused', async (query, code, field) => {
  await api.client().call('post', '/v1/customers', { id: 'refused' })
  const { body } = await buckets('refused', query).expect(422)
  expect(body).toMatchObject({ code, errors: [{ field }] })
})

test('an offset whose plus sign arrives as a blank is still understood', async () => {
  await register('plus')
  const { body } = await api
    .client()
    .call(
      'get',
      '/v1/customers/plus/usage?start_date=2026-03-01T00:00:00+02:00&end_date=2026-03-02',
    )
    .expect(200)
  expect(body).toMatchObject({ start_date: '2026-02-28T22:00:00Z' })
})

describe('across customers', () => {
  const query = { start_date: '2026-06-01', end_date: '2026-06-03' }
  beforeAll(async () => {
    await register('g1', 'Asia/Kolkata')
    await register('g2')
    await post('g1', '2026-06-01T01:00:00Z', { quantity: '2', properties: { region: '=eu' } })
    await post('g2', '2026-06-01T02:00:00Z', { quantity: '3', properties: { region: 'us' } })
    await post('g2', '2026-06-02T02:00:00Z', { quantity: '4', event_type: 'mail' })
    const other = await api.addOrganization('other')
    await other.call('post', '/v1/customers', { id: 'g1' }).expect(201)
    await other
      .call('post', '/v1/customers/g1/usage', { event_type: 'call', event_date: '2026-06-01' })
      .expect(201)
  })

  test("usage is counted in the organization's zone, and only its own", async () => {
    const { body } = await ask('/v1/usage', query).expect(200)
    expect(body).toMatchObject({ timezone: 'UTC' })
    expect(body).not.toHaveProperty('customer')
    expect(rowsOf(body)).toEqual([
      { start: '2026-06-01T00:00:00Z', quantity: '5', events: 2 },
      { start: '2026-06-02T00:00:00Z', quantity: '4', events: 1 },
    ])
  })

  test('with one customer it is in that customer’s zone', async () => {
    const { body } = await ask('/v1/usage', { customer_id: 'g1' }).expect(200)
    expect(body).toMatchObject({ customer: 'g1', timezone: 'Asia/Kolkata' })
    expect(counts(body)).toEqual([['2026-05-31T18:30:00Z', 1]])
    await ask('/v1/usage', { customer_id: 'nobody' }).expect(404)
  })

  test('it is split by customer, event type and property', async () => {
    const { body } = await ask('/v1/usage', {
      ...query,
      group_by: 'customer_id,event_type,properties.region',
    }).expect(200)
    expect(rowsOf(body)).toEqual([
      {
        start: '2026-06-01T00:00:00Z',
        customer_id: 'g1',
        event_type: 'call',
        'properties.region': '=eu',
        quantity: '2',
        events: 1,
      },
      {
        start: '2026-06-01T00:00:00Z',
        customer_id: 'g2',
        event_type: 'call',
        'properties.region': 'us',
        quantity: '3',
        events: 1,
      },
      {
        start: '2026-06-02T00:00:00Z',
        customer_id: 'g2',
        event_type: 'mail',
        'properties.region': null,
        quantity: '4',
        events: 1,
      },
    ])
    await ask('/v1/usage', { ...query, group_by: 'quantity' }).expect(422)
  })

  test('empty buckets are filled in for each group', async () => {
    const { body } = await ask('/v1/usage', {
      ...query,
      group_by: 'customer_id',
      fill: 'zero',
    }).expect(200)
    expect(rowsOf(body).map((row) => [row.start, row['customer_id'], row.quantity])).toEqual([
      ['2026-06-01T00:00:00Z', 'g1', '2'],
      ['2026-06-01T00:00:00Z', 'g2', '3'],
      ['2026-06-02T00:00:00Z', 'g1', '0'],
      ['2026-06-02T00:00:00Z', 'g2', '4'],
    ])
  })

  test('as CSV, text that a spreadsheet would run is neutralised', async () => {
    const res = await ask('/v1/usage', { ...query, group_by: 'properties.region' })
      .set('accept', 'text/csv')
      .expect(200)
    expect(res.headers['content-type']).toMatch('text/csv')
    expect(res.text).toBe(
      [
        'start,properties.region,quantity,events',
        "2026-06-01T00:00:00Z,'=eu,2,1",
        '2026-06-01T00:00:00Z,us,3,1',
        '2026-06-02T00:00:00Z,,4,1',
        '',
      ].join('\n'),
    )
    const empty = await buckets('g1', { event_type: 'fax' }).set('accept', 'text/csv').expect(200)
    expect(empty.text).toBe('start,quantity,events\n')
  })
})
