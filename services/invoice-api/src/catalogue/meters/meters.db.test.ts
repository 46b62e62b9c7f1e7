import { useInvoiceApi } from '../../testing/use-invoice-api'

const api = useInvoiceApi()
const calls = {
  code: 'calls',
  name: 'API calls',
  event_type: 'api_call',
  aggregation: 'count',
  filters: [{ property: 'status', equals: '500', not: true }],
  group_by: ['region'],
}

test('a meter is made once, listed by code and shown by it', async () => {
  const tenant = await api.addTenant('meters')
  const made: unknown = (await tenant.call('post', '/v1/meters', calls).expect(201)).body
  expect(made).toMatchObject({ ...calls, property: null })
  expect((await tenant.call('post', '/v1/meters', calls).expect(200)).body).toEqual(made)
  expect((await tenant.call('get', '/v1/meters/calls').expect(200)).body).toEqual(made)

  const other = await tenant.call('post', '/v1/meters', { ...calls, group_by: [] }).expect(409)
  expect(other.body).toMatchObject({ code: 'meter_exists', errors: [{ field: 'group_by' }] })

  const first = await tenant.call('get', '/v1/meters?limit=1').expect(200)
  const { next_cursor: cursor } = first.body as { next_cursor: string }
  expect(first.body).toMatchObject({ data: [{ code: 'all_usage' }] })
  const second = await tenant.call('get', `/v1/meters?limit=1&cursor=${cursor}`).expect(200)
  expect(second.body).toMatchObject({ data: [{ code: 'calls' }], next_cursor: null })
})

test('a meter changes until a plan version that was activated uses it, then only its name does', async () => {
  const tenant = await api.addTenant('frozen')
  await tenant.call('post', '/v1/meters', calls).expect(201)
  const plan = {
    code: 'pro',
    charges: [{ meter: 'calls', price: { model: 'per_unit', unit_price: '1' } }],
  }
  await tenant.call('post', '/v1/plans', plan).expect(201)
  const change = (body: object) => tenant.call('patch', '/v1/meters/calls', body)
  await change({ group_by: [] }).expect(200)
  await tenant.call('post', '/v1/plans/pro/versions/1/activate').expect(200)

  const refused = await change({ group_by: ['region'] }).expect(409)
  expect(refused.body).toMatchObject({ code: 'meter_in_use', errors: [{ field: 'group_by' }] })
  expect((await change({ name: 'Calls' }).expect(200)).body).toMatchObject({
    name: 'Calls',
    group_by: [],
  })
  const { rows } = await api.owner().query(
    `select action, before ->> 'name' as before, after ->> 'name' as after from audit_log
     where organization_id = $1 and object_type = 'meter' order by audit_no`,
    [tenant.id],
  )
  expect(rows).toEqual([
    { action: 'meter.created', before: null, after: 'API calls' },
    { action: 'meter.changed', before: 'API calls', after: 'API calls' },
    { action: 'meter.changed', before: 'API calls', after: 'Calls' },
  ])
})

test('a meter that cannot count is refused with the field at fault', async () => {
  const tenant = await api.addTenant('bad-meter')
  const body = { code: 'users', aggregation: 'unique_count' }
  const refused = await tenant.call('post', '/v1/meters', body).expect(422)
  expect(refused.body).toMatchObject({ errors: [{ field: 'property' }] })
})

test('a meter of another organization is not there', async () => {
  const owner = await api.addTenant('meter-owner')
  const other = await api.addTenant('meter-other')
  await owner.call('post', '/v1/meters', calls).expect(201)
  await other.call('get', '/v1/meters/calls').expect(404)
  await other.call('patch', '/v1/meters/calls', { name: 'Mine' }).expect(404)
})
