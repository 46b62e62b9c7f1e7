import { type Tenant, useInvoiceApi } from '../../testing/use-invoice-api'

const api = useInvoiceApi()
const perUnit = (unit_price: string) => ({ model: 'per_unit', unit_price })
const graduated = {
  model: 'graduated',
  tiers: [
    { up_to: '10', unit_price: '2', flat_fee: '1' },
    { up_to: null, unit_price: '1' },
  ],
}

const plan = (tenant: Tenant, code: string, charges: object[], more: object = {}) =>
  tenant.call('post', '/v1/plans', { code, charges, activate: true, ...more }).expect(201)
const subscribe = async (tenant: Tenant, body: object): Promise<string> => {
  const made = await tenant
    .call('post', '/v1/subscriptions', { customer_id: 'acme', ...body })
    .expect(201)
  return (made.body as { id: string }).id
}

interface Shown {
  readonly total: string
  readonly currency: string
  readonly quantity: string
  readonly line_items: readonly { description: string; amount: string; charge_id: string }[]
  readonly plan: object
}

/** The invoices of March, as they stand, by currency. */
async function invoicesOf(tenant: Tenant): Promise<Shown[]> {
  await tenant.bill({ customer: 'acme', period: '2026-03' })
  const list = await tenant.call('get', '/v1/invoices?period=2026-03').expect(200)
  const heads = (list.body as { data: { id: string }[] }).data
  const shown: Shown[] = []
  for (const { id } of heads) {
    shown.push((await tenant.call('get', `/v1/invoices/${id}`).expect(200)).body as Shown)
  }
  return shown.sort((a, b) => (a.currency < b.currency ? -1 : 1))
}

const linesOf = ({ line_items: lines }: Shown) =>
  lines.map((line) => [line.description, line.amount])

/** 15 units before noon of the 11th, 15 from noon on; noon itself counts as after. */
const useBothParts = (tenant: Tenant) =>
  tenant.use(
    { customer: 'acme', quantity: '15', date: '2026-03-11T11:59:59.999999Z' },
    { customer: 'acme', quantity: '15', date: '2026-03-11T12:00:00Z' },
  )

test('a change in the middle of a month splits it at that instant, and tiers start anew', async () => {
  const tenant = await api.addTenant('split')
  await useBothParts(tenant)
  await plan(tenant, 'a', [{ id: 'calls', name: 'Calls', meter: 'all_usage', price: graduated }])
  await plan(tenant, 'b', [{ id: 'calls', name: 'Calls', meter: 'all_usage', price: graduated }])
  await subscribe(tenant, { plan: 'a', start_date: '2026-01-01', end_date: '2026-03-11T12:00:00Z' })
  await subscribe(tenant, { plan: 'b', start_date: '2026-03-11T12:00:00Z' })
  const [invoice] = await invoicesOf(tenant)
  expect(linesOf(invoice!)).toEqual([
    ['Calls, 2026-03-01 up to 2026-03-11', '26.00'],
    ['Calls, 2026-03-11 up to 2026-04-01', '26.00'],
  ])
  expect(invoice).toMatchObject({
    total: '52.00',
    quantity: '30',
    plan: {
      code: 'b',
      parts: [
        { code: 'a', from: '2026-03-01', to: '2026-03-11' },
        { code: 'b', from: '2026-03-11', to: '2026-04-01' },
      ],
    },
  })
})

test('a plan that carries tiers goes on where the part before ended', async () => {
  const tenant = await api.addTenant('carry')
  await useBothParts(tenant)
  const charges = [{ id: 'calls', name: 'Calls', meter: 'all_usage', price: graduated }]
  await plan(tenant, 'a', charges)
  await plan(tenant, 'b', charges, { carry_tiers: true })
  await subscribe(tenant, { plan: 'a', start_date: '2026-01-01', end_date: '2026-03-11T12:00:00Z' })
  await subscribe(tenant, { plan: 'b', start_date: '2026-03-11T12:00:00Z' })
  const [invoice] = await invoicesOf(tenant)
  expect(linesOf(invoice!).map(([, amount]) => amount)).toEqual(['26.00', '15.00'])
})

test("flat charges are prorated by days in the customer's zone, unless they say otherwise", async () => {
  const tenant = await api.addTenant('prorate')
  await tenant.use({ customer: 'acme', quantity: '1', date: '2026-03-31T12:00:00Z' })
  await api
    .owner()
    .query(`update customers set timezone = 'Australia/Sydney' where organization_id = $1`, [
      tenant.id,
    ])
  await plan(tenant, 'pro', [
    { id: 'fee', name: 'Fee', price: { model: 'flat', amount: '31.00' } },
    { id: 'setup', name: 'Setup', price: { model: 'flat', amount: '5.00' }, prorate: false },
    { id: 'calls', name: 'Calls', meter: 'all_usage', price: perUnit('2') },
  ])
  await subscribe(tenant, { plan: 'pro', start_date: '2026-03-22' })
  const [invoice] = await invoicesOf(tenant)
  expect(linesOf(invoice!)).toEqual([
    ['Fee, 2026-03-22 up to 2026-04-01', '10.00'],
    ['Setup, 2026-03-22 up to 2026-04-01', '5.00'],
    ['Calls, 2026-03-22 up to 2026-04-01', '2.00'],
  ])
})

test('each currency has its own bill, and together they hold all usage', async () => {
  const tenant = await api.addTenant('currencies')
  await useBothParts(tenant)
  await plan(tenant, 'euro', [{ id: 'calls', meter: 'all_usage', price: perUnit('0.125') }], {
    currency: 'EUR',
  })
  const id = await subscribe(tenant, { plan: 'euro', start_date: '2026-03-11T12:00:00Z' })
  expect(await invoicesOf(tenant)).toMatchObject([
    { currency: 'EUR', quantity: '15', total: '1.88' },
    { currency: 'USD', quantity: '15', total: '60.00' },
  ])
  await tenant
    .call('patch', `/v1/subscriptions/${id}`, { end_date: '2026-03-11T12:00:01Z' })
    .expect(200)
  expect(await invoicesOf(tenant)).toMatchObject([
    { currency: 'EUR', quantity: '15' },
    { currency: 'USD', quantity: '15', total: '60.00' },
  ])
})

test('an override prices one charge for one customer, and the invoice shows it', async () => {
  const tenant = await api.addTenant('override')
  await useBothParts(tenant)
  await plan(tenant, 'pro', [
    { id: 'calls', name: 'Calls', meter: 'all_usage', price: perUnit('2') },
    { id: 'again', name: 'Again', meter: 'all_usage', price: perUnit('3') },
  ])
  const price = perUnit('0.5')
  await subscribe(tenant, {
    plan: 'pro',
    start_date: '2026-03-01',
    overrides: [{ charge_id: 'calls', price }],
  })
  const [invoice] = await invoicesOf(tenant)
  expect(linesOf(invoice!)).toEqual([
    ['Calls', '15.00'],
    ['Again', '90.00'],
  ])
  expect(invoice!.plan).toMatchObject({
    code: 'pro',
    charges: [
      { id: 'calls', price },
      { id: 'again', price: perUnit('3') },
    ],
  })
})

test('a subscription is billed its flat charge in a month without usage', async () => {
  const tenant = await api.addTenant('flat-only')
  await tenant.use({ customer: 'acme', quantity: '1', date: '2026-01-05T00:00:00Z' })
  await plan(tenant, 'pro', [{ id: 'fee', name: 'Fee', price: { model: 'flat', amount: '31.00' } }])
  await subscribe(tenant, { plan: 'pro', start_date: '2026-02-01' })
  const [invoice] = await invoicesOf(tenant)
  expect(invoice).toMatchObject({ total: '31.00', quantity: '0' })
  expect(linesOf(invoice!)).toEqual([['Fee', '31.00']])
})

test('groups of a property are priced from the events of a part', async () => {
  const tenant = await api.addTenant('properties')
  const use = (region: string, day: string) => ({
    customer: 'acme',
    quantity: '4',
    properties: { region },
    date: `2026-03-${day}T00:00:00Z`,
  })
  await tenant.use(use('eu', '05'), use('us', '05'), use('eu', '20'), use('us', '20'))
  await tenant
    .call('post', '/v1/meters', { code: 'regions', aggregation: 'sum', group_by: ['region'] })
    .expect(201)
  await plan(tenant, 'pro', [{ id: 'by', name: 'By', meter: 'regions', price: graduated }])
  await subscribe(tenant, { plan: 'pro', start_date: '2026-03-10' })
  const [invoice] = await invoicesOf(tenant)
  expect(linesOf(invoice!)).toEqual([
    ['Usage, 2026-03-01 up to 2026-03-10', '40.00'],
    ['By, 2026-03-10 up to 2026-04-01 (region=eu)', '9.00'],
    ['By, 2026-03-10 up to 2026-04-01 (region=us)', '9.00'],
  ])
})
