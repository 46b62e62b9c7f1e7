import { useInvoiceApi } from '../../testing/use-invoice-api'

const api = useInvoiceApi()
const file = (unitPrice = '0.0025') => ({
  default_plan: 'pro',
  meters: [{ code: 'calls', name: 'Calls', event_type: 'api_call', aggregation: 'count' }],
  plans: [
    {
      code: 'pro',
      name: 'Pro',
      currency: 'USD',
      versions: [
        {
          version: 1,
          state: 'active',
          charges: [
            { id: 'calls', meter: 'calls', price: { model: 'per_unit', unit_price: unitPrice } },
          ],
        },
      ],
    },
  ],
})

test('a dry run says what would change, and then the file makes it so', async () => {
  const tenant = await api.addTenant('apply')
  const changes = [
    { action: 'create', object: 'meter', code: 'calls' },
    { action: 'create', object: 'plan', code: 'pro' },
    { action: 'create', object: 'plan_version', code: 'pro', version: 1 },
    { action: 'activate', object: 'plan_version', code: 'pro', version: 1 },
    { action: 'make_default', object: 'plan', code: 'pro' },
  ]
  const trial = await tenant.call('put', '/v1/catalogue?dry_run=true', file()).expect(200)
  expect(trial.body).toEqual({ dry_run: true, changes })
  await tenant.call('get', '/v1/plans/pro').expect(404)
  const done = await tenant.call('put', '/v1/catalogue', file()).expect(200)
  expect(done.body).toEqual({ dry_run: false, changes })

  const stored = await tenant.call('get', '/v1/catalogue').expect(200)
  expect(stored.body).toMatchObject({ default_plan: 'pro' })
  const { meters, plans } = stored.body as { meters: object[]; plans: object[] }
  expect(meters).toEqual(expect.arrayContaining(file().meters))
  expect(plans).toEqual(expect.arrayContaining(file().plans))
  const again = await tenant.call('put', '/v1/catalogue', stored.body as object).expect(200)
  expect(again.body).toEqual({ dry_run: false, changes: [] })
  const spelled = await tenant.call('put', '/v1/catalogue', file('0.00250')).expect(200)
  expect(spelled.body).toEqual({ dry_run: false, changes: [] })
})

test('the catalogue as YAML, sent back, changes nothing', async () => {
  const tenant = await api.addTenant('yaml')
  const yaml = await tenant
    .call('get', '/v1/catalogue')
    .set('accept', 'application/yaml')
    .expect(200)
  expect(yaml.headers['content-type']).toContain('application/yaml')
  expect(yaml.text).toContain('default_plan: standard')
  const same = await tenant
    .call('put', '/v1/catalogue')
    .set('content-type', 'application/yaml')
    .send(yaml.text)
    .expect(200)
  expect(same.body).toEqual({ dry_run: false, changes: [] })
  const longer = yaml.text.replace('name: Standard', 'name: The standard')
  const renamed = await tenant
    .call('put', '/v1/catalogue')
    .set('content-type', 'application/yaml')
    .send(longer)
    .expect(200)
  expect(renamed.body).toMatchObject({
    changes: [{ action: 'change', object: 'plan', code: 'standard', fields: ['name'] }],
  })
})

test('what is in use never changes, and a file that asks for it changes nothing at all', async () => {
  const tenant = await api.addTenant('conflict')
  await tenant.call('put', '/v1/catalogue', file()).expect(200)
  const other = { ...file('9'), meters: [{ code: 'calls', aggregation: 'sum' }] }
  const refused = await tenant.call('put', '/v1/catalogue', other).expect(409)
  expect(refused.body).toMatchObject({
    code: 'catalogue_conflict',
    errors: [
      { field: 'meters[0].event_type' },
      { field: 'meters[0].aggregation' },
      { field: 'plans[0].versions[0].charges' },
    ],
  })
  expect((await tenant.call('get', '/v1/meters/calls').expect(200)).body).toMatchObject({
    name: 'Calls',
  })
})

test('a new version takes the place of the active one', async () => {
  const tenant = await api.addTenant('next')
  await tenant.call('put', '/v1/catalogue', file()).expect(200)
  const next = file('3')
  next.plans[0]!.versions[0]!.version = 2
  await tenant.call('put', '/v1/catalogue', next).expect(200)
  const versions = await tenant.call('get', '/v1/plans/pro/versions').expect(200)
  expect(versions.body).toMatchObject({
    data: [
      { version: 2, state: 'active' },
      { version: 1, state: 'retired' },
    ],
  })
})

test('every fault of a file is named by its path', async () => {
  const tenant = await api.addTenant('paths')
  const broken = file()
  broken.plans[0]!.versions[0]!.charges[0]!.meter = 'nothing'
  const unknown = await tenant.call('put', '/v1/catalogue', broken).expect(422)
  expect(unknown.body).toMatchObject({
    errors: [{ field: 'plans[0].versions[0].charges[0].meter' }],
  })
  const number = await tenant
    .call('put', '/v1/catalogue')
    .set('content-type', 'application/yaml')
    .send(
      'plans: [{code: x, currency: USD, versions: [{version: 1, charges: [{price: {model: flat, amount: 5}}]}]}]',
    )
    .expect(422)
  expect(number.body).toMatchObject({
    code: 'invalid_catalogue',
    errors: [{ field: 'plans[0].versions[0].charges[0].price.amount' }],
  })
  const torn = await tenant
    .call('put', '/v1/catalogue')
    .set('content-type', 'application/yaml')
    .send('plans: [')
    .expect(422)
  expect(torn.body).toMatchObject({ code: 'malformed_catalogue' })
})
