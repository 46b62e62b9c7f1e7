import { useUsageApi } from '../testing/use-usage-api'

const api = useUsageApi()
const post = (id: string, body: object) =>
  api.client().call('post', `/v1/customers/${id}/usage`, { event_type: 'call', ...body })
const month = async (id: string, period: string): Promise<unknown> =>
  (await api.client().call('get', `/v1/customers/${id}/usage/${period}`).expect(200)).body
const numberOf = async (id: string): Promise<number> =>
  (
    await api
      .owner()
      .query<{ n: number }>('select customer_no as n from customers where id = $1', [id])
  ).rows[0]!.n

/** Usage as the events themselves say it, with what is stored beside it. */
async function usageAndEvents(id: string) {
  const counted = `select period, event_type_no, own_price, trim_scale(quantity) as quantity,
                          trim_scale(amount) as amount, events
                   from usage where customer_no = $1 order by 1, 2, 3`
  const derived = `select to_char(event_date at time zone coalesce(c.timezone, 'UTC'), 'YYYY-MM') as period,
                          event_type_no, unit_price is not null as own_price,
                          trim_scale(sum(quantity)) as quantity,
                          trim_scale(coalesce(sum(quantity * unit_price), 0)) as amount, count(*) as events
                   from events join customers c using (customer_no)
                   where customer_no = $1 group by 1, 2, 3 order by 1, 2, 3`
  const no = [await numberOf(id)]
  return {
    usage: (await api.owner().query(counted, no)).rows,
    events: (await api.owner().query(derived, no)).rows,
  }
}

test('another time zone moves usage between months and queues both for billing', async () => {
  await api.client().call('post', '/v1/customers', { id: 'mover' }).expect(201)
  await post('mover', { event_id: 'a', quantity: '2', event_date: '2026-01-31T23:30:00Z' }).expect(
    201,
  )
  await post('mover', { event_id: 'b', quantity: '3', event_date: '2026-02-10T00:00:00Z' }).expect(
    201,
  )
  await post('mover', {
    event_id: 'c',
    unit_price: '0.5',
    event_date: '2026-01-31T23:45:00Z',
  }).expect(201)
  expect(await month('mover', '2026-01')).toMatchObject({ accumulated_price: '10.50' })

  await api.owner().query('delete from usage_changes')
  await api.client().call('patch', '/v1/customers/mover', { timezone: 'Europe/Berlin' }).expect(200)

  expect(await month('mover', '2026-01')).toMatchObject({
    accumulated_price: '0.00',
    event_types: [],
  })
  expect(await month('mover', '2026-02')).toMatchObject({
    accumulated_price: '25.50',
    event_types: [{ event_type: 'call', quantity: '6', events: 3 }],
  })
  const { usage, events } = await usageAndEvents('mover')
  expect(usage).toEqual(events)
  const { rows } = await api
    .owner()
    .query('select distinct period from usage_changes where customer_no = $1 order by period', [
      await numberOf('mover'),
    ])
  expect(rows).toEqual([{ period: '2026-01' }, { period: '2026-02' }])
})

test('usage that arrives while the time zone changes is counted in the right month', async () => {
  await api.client().call('post', '/v1/customers', { id: 'busy' }).expect(201)
  const zones = ['Europe/Berlin', null, 'America/New_York', 'Pacific/Apia', 'Asia/Kolkata', null]
  const changes = (async () => {
    for (const timezone of zones) {
      await api.client().call('patch', '/v1/customers/busy', { timezone }).expect(200)
    }
  })()
  const posts = (async () => {
    for (let round = 0; round < 12; round++) {
      await Promise.all(
        Array.from({ length: 5 }, (_value, at) =>
          post('busy', { event_id: `${round}-${at}`, event_date: '2026-01-31T20:00:00Z' }).expect(
            201,
          ),
        ),
      )
    }
  })()
  await Promise.all([changes, posts])

  const { usage, events } = await usageAndEvents('busy')
  expect(usage).toEqual(events)
  expect(usage).toEqual([expect.objectContaining({ events: '60' })])
})

test('a change of time zone waits for usage that is being counted, and gives up with an answer', async () => {
  await api.client().call('post', '/v1/customers', { id: 'held', name: 'Held' }).expect(201)
  const upload = await api.owner().connect()
  try {
    await upload.query('begin')
    await upload.query('lock table usage in row exclusive mode')
    const refused = await api
      .client()
      .call('patch', '/v1/customers/held', { timezone: 'Asia/Kolkata' })
      .expect(503)
    expect(refused.body).toMatchObject({ code: 'usage_is_being_counted' })
    expect(refused.headers['retry-after']).toBe('5')
    await api.client().call('patch', '/v1/customers/held', { name: 'Renamed' }).expect(200)
  } finally {
    await upload.query('rollback')
    upload.release()
  }
  await api.client().call('patch', '/v1/customers/held', { timezone: 'Asia/Kolkata' }).expect(200)
})
