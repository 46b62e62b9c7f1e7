import { Price } from '@billtrail/contracts'
import { useInvoiceApi } from '../../testing/use-invoice-api'

const api = useInvoiceApi()
const perUnit = (unit_price: string) => ({ model: 'per_unit', unit_price })
const charges = (unit_price: string) => [{ meter: 'all_usage', price: perUnit(unit_price) }]

test('a version is a draft, then active, then retired, and a plan has one active version', async () => {
  const tenant = await api.addTenant('life')
  const made = await tenant
    .call('post', '/v1/plans', { code: 'pro', name: 'Pro', currency: 'EUR' })
    .expect(201)
  expect(made.body).toMatchObject({ code: 'pro', currency: 'EUR', active_version: null })
  const versions = '/v1/plans/pro/versions'
  const draft = await tenant.call('post', versions, { charges: charges('1') }).expect(201)
  expect(draft.body).toMatchObject({
    version: 1,
    state: 'draft',
    currency: 'EUR',
    charges: [{ id: 'all_usage' }],
  })
  await tenant.call('patch', `${versions}/1`, { charges: charges('2') }).expect(200)
  await tenant.call('post', `${versions}/1/activate`).expect(200)
  const again = await tenant.call('post', `${versions}/1/activate`).expect(200)
  expect(again.body).toMatchObject({ state: 'active', retired_at: null })

  const frozen = await tenant.call('patch', `${versions}/1`, { carry_tiers: true }).expect(409)
  expect(frozen.body).toMatchObject({ code: 'plan_version_frozen' })
  await tenant.call('post', versions, { charges: charges('3'), activate: true }).expect(201)
  expect((await tenant.call('get', `${versions}/1`).expect(200)).body).toMatchObject({
    state: 'retired',
  })
  const retired = await tenant.call('post', `${versions}/1/activate`).expect(409)
  expect(retired.body).toMatchObject({ code: 'plan_version_retired' })
  expect((await tenant.call('get', '/v1/plans/pro').expect(200)).body).toMatchObject({
    active_version: { version: 2 },
  })
  const list = await tenant.call('get', `${versions}?limit=1`).expect(200)
  expect(list.body).toMatchObject({ data: [{ version: 2 }] })
})

test('a plan that cannot price everything is refused, each fault named by its path', async () => {
  const tenant = await api.addTenant('faults')
  await tenant.call('post', '/v1/plans', { code: 'pro', currency: 'JPY' }).expect(201)
  const body = {
    charges: [
      { meter: 'all_usage', price: perUnit('1') },
      {
        meter: 'nothing',
        price: {
          model: 'graduated',
          tiers: [
            { up_to: '10', unit_price: '1' },
            { up_to: null, unit_price: '1', flat_fee: '0.5' },
          ],
        },
      },
    ],
  }
  const refused = await tenant.call('post', '/v1/plans/pro/versions', body).expect(422)
  expect(refused.body).toMatchObject({
    code: 'invalid_plan',
    errors: [{ field: 'charges[1].meter' }, { field: 'charges[1].price.tiers[1].flat_fee' }],
  })
  const tiers = [
    { up_to: '10', unit_price: '1' },
    { up_to: '5', unit_price: '1' },
    { up_to: '20', unit_price: '1' },
  ]
  const gaps = { charges: [{ meter: 'all_usage', price: { model: 'volume', tiers } }] }
  const open = await tenant.call('post', '/v1/plans/pro/versions', gaps).expect(422)
  expect(open.body).toMatchObject({
    errors: [
      { field: 'charges[0].price.tiers[1].up_to' },
      { field: 'charges[0].price.tiers[2].up_to' },
    ],
  })
})

test('the default plan keeps an active version, and another can take its place', async () => {
  const tenant = await api.addTenant('default')
  await tenant.use({ customer: '1', quantity: '2', date: '2026-03-01T00:00:00Z' })
  await api.owner().query('delete from usage_changes')
  const refused = await tenant.call('post', '/v1/plans/standard/versions/1/retire').expect(409)
  expect(refused.body).toMatchObject({ code: 'default_plan_needs_version' })
  const empty = await tenant.call('post', '/v1/plans', { code: 'empty' }).expect(201)
  expect(empty.body).toMatchObject({ default: false })
  await tenant.call('patch', '/v1/plans/empty', { default: true }).expect(409)

  const plan = { code: 'pro', charges: charges('7'), activate: true }
  await tenant.call('post', '/v1/plans', plan).expect(201)
  const changed = await tenant.call('patch', '/v1/plans/pro', { default: true }).expect(200)
  expect(changed.body).toMatchObject({ default: true })
  const { rows } = await api.owner().query('select period from usage_changes')
  expect(rows).toEqual([{ period: '2026-03' }])
  await tenant.bill({ customer: '1', period: '2026-03' })
  expect((await tenant.call('get', '/v1/invoices').expect(200)).body).toMatchObject({
    data: [{ total: '14.00' }],
  })
  await tenant.call('post', '/v1/plans/standard/versions/1/retire').expect(200)
})

test('versions activated at the same moment leave one active', async () => {
  const tenant = await api.addTenant('race')
  await tenant.call('post', '/v1/plans', { code: 'pro' }).expect(201)
  const answers = await Promise.all(
    ['1', '2', '3', '4'].map((price) =>
      tenant.call('post', '/v1/plans/pro/versions', { charges: charges(price), activate: true }),
    ),
  )
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201])
  const list = await tenant.call('get', '/v1/plans/pro/versions').expect(200)
  const states = (list.body as { data: { state: string }[] }).data.map(({ state }) => state)
  expect(states).toEqual(['active', 'retired', 'retired', 'retired'])
})

test('a code is taken once, and another organization sees none of it', async () => {
  const tenant = await api.addTenant('plan-owner')
  const other = await api.addTenant('plan-other')
  const made = await tenant.call('post', '/v1/plans', { code: 'pro' }).expect(201)
  const { id } = made.body as { id: string }
  await tenant.call('post', '/v1/plans', { code: 'pro' }).expect(409)
  await tenant.call('get', `/v1/plans/${id}`).expect(200)
  await other.call('get', `/v1/plans/${id}`).expect(404)
  await other.call('get', '/v1/plans/pro/versions').expect(404)
  await other.call('post', `/v1/plans/${id}/versions`, { charges: charges('1') }).expect(404)
  await other.call('post', `/v1/plans/${id}/versions/1/activate`).expect(404)
})

test('the OpenAPI document has an example of every model', async () => {
  const document: unknown = (await api.anonymous().get('/openapi.json').expect(200)).body
  const text = JSON.stringify(document)
  for (const { shape } of Price.options) {
    expect(text).toContain(`"example":{"model":"${shape.model.value}"`)
  }
  expect(text).toContain('/v1/plans/{id}/versions/{version}/activate')
})
