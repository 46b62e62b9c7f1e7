import { useInvoiceApi } from '../../testing/use-invoice-api'

const api = useInvoiceApi()

async function tenantWithPlan(slug: string) {
  const tenant = await api.addTenant(slug)
  await tenant.use({ customer: 'acme', quantity: '1', date: '2026-03-01T00:00:00Z' })
  const charges = [
    { id: 'calls', meter: 'all_usage', price: { model: 'per_unit', unit_price: '2' } },
  ]
  await tenant.call('post', '/v1/plans', { code: 'pro', charges, activate: true }).expect(201)
  const subscribe = (body: object) =>
    tenant.call('post', '/v1/subscriptions', { customer_id: 'acme', plan: 'pro', ...body })
  return { tenant, subscribe }
}

test("a date alone is midnight in the customer's time zone", async () => {
  const { tenant, subscribe } = await tenantWithPlan('zone')
  await api
    .owner()
    .query(`update customers set timezone = 'America/New_York' where organization_id = $1`, [
      tenant.id,
    ])
  const made = await subscribe({ start_date: '2026-03-16', end_date: '2026-11-15' }).expect(201)
  expect(made.body).toMatchObject({
    customer_id: 'acme',
    plan: 'pro',
    plan_version: 1,
    start_date: '2026-03-16T04:00:00.000000Z',
    end_date: '2026-11-15T05:00:00.000000Z',
    overrides: [],
  })
  const { id } = made.body as { id: string }
  expect((await tenant.call('get', `/v1/subscriptions/${id}`).expect(200)).body).toEqual(made.body)
  const list = await tenant.call('get', '/v1/subscriptions?customer_id=acme').expect(200)
  expect(list.body).toEqual({ data: [made.body], next_cursor: null })
})

test('no two subscriptions of a customer overlap; one may begin where the other ends', async () => {
  const { tenant, subscribe } = await tenantWithPlan('overlap')
  const first = await subscribe({ start_date: '2026-01-01' }).expect(201)
  const { id } = first.body as { id: string }
  const refused = await subscribe({ start_date: '2026-06-01' }).expect(409)
  expect(refused.body).toMatchObject({ code: 'subscription_overlaps' })
  const path = `/v1/subscriptions/${id}`
  await tenant.call('patch', path, { end_date: '2026-06-01' }).expect(200)
  await subscribe({ start_date: '2026-06-01' }).expect(201)
  await tenant.call('patch', path, { end_date: null }).expect(409)
  await tenant.call('patch', path, { end_date: '2025-06-01' }).expect(422)

  const page = await tenant.call('get', '/v1/subscriptions?limit=1').expect(200)
  const { next_cursor: cursor } = page.body as { next_cursor: string }
  const rest = await tenant.call('get', `/v1/subscriptions?limit=1&cursor=${cursor}`).expect(200)
  expect(rest.body).toMatchObject({
    data: [{ start_date: '2026-06-01T00:00:00.000000Z' }],
    next_cursor: null,
  })
})

test('the months that a subscription touches are queued for billing', async () => {
  const { subscribe } = await tenantWithPlan('queue')
  await api.owner().query('delete from usage_changes')
  await subscribe({ start_date: '2026-03-10', end_date: '2026-05-01' }).expect(201)
  const { rows } = await api
    .owner()
    .query('select distinct period from usage_changes order by period')
  expect(rows).toEqual([{ period: '2026-03' }, { period: '2026-04' }, { period: '2026-05' }])
})

test('an override has to be for a charge of the plan, and sound', async () => {
  const { subscribe } = await tenantWithPlan('override')
  const start_date = '2026-03-01'
  const unknown = await subscribe({
    start_date,
    overrides: [{ charge_id: 'nothing', price: { model: 'per_unit', unit_price: '1' } }],
  }).expect(422)
  expect(unknown.body).toMatchObject({ errors: [{ field: 'overrides[0].charge_id' }] })
  const uneven = await subscribe({
    start_date,
    overrides: [
      { charge_id: 'calls', price: { model: 'per_unit', unit_price: '1', minimum: '0.005' } },
    ],
  }).expect(422)
  expect(uneven.body).toMatchObject({ errors: [{ field: 'overrides[0].price.minimum' }] })
})

test('whom and what a subscription names has to be there', async () => {
  const { tenant, subscribe } = await tenantWithPlan('missing')
  const start_date = '2026-03-01'
  await subscribe({ start_date, customer_id: 'nobody' }).expect(404)
  await subscribe({ start_date, plan: 'nothing' }).expect(404)
  await tenant.call('post', '/v1/plans', { code: 'empty' }).expect(201)
  await subscribe({ start_date, plan: 'empty' }).expect(409)
  await subscribe({ start_date: 'soon' }).expect(422)
  const other = await tenantWithPlan('elsewhere')
  const theirs = await other.subscribe({ start_date }).expect(201)
  const { id, plan_version_id } = theirs.body as { id: string; plan_version_id: string }
  await tenant.call('get', `/v1/subscriptions/${id}`).expect(404)
  await tenant.call('patch', `/v1/subscriptions/${id}`, { end_date: null }).expect(404)
  await tenant
    .call('post', '/v1/subscriptions', { customer_id: 'acme', plan_version_id, start_date })
    .expect(404)
})

test('of two subscriptions made at the same moment one is refused', async () => {
  const { subscribe } = await tenantWithPlan('race')
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => subscribe({ start_date: '2026-03-01' })),
  )
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409])
})
