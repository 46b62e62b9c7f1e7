import { useInvoiceApi } from '../testing/use-invoice-api'

const api = useInvoiceApi()

test('only the settings that are given change, and an audit row tells what they were', async () => {
  const tenant = await api.addTenant('acme')
  const body: unknown = (
    await tenant
      .call('patch', '/v1/organization', { name: 'Acme Ltd', grace_hours: 1.5 })
      .expect(200)
  ).body
  expect(body).toMatchObject({
    name: 'Acme Ltd',
    slug: 'acme',
    currency: 'USD',
    timezone: 'UTC',
    billable_group_by: 'customer',
    billable_period: 'month',
    grace_hours: 1.5,
  })
  expect((await tenant.call('get', '/v1/organization').expect(200)).body).toEqual(body)
  await tenant.call('patch', '/v1/organization', { grace_hours: null }).expect(200)
  await tenant.call('patch', '/v1/organization', { grace_hours: null }).expect(200)
  const { rows } = await api.owner().query(
    `select before ->> 'name' as before, after ->> 'grace_hours' as grace from audit_log
       where organization_id = $1 order by audit_no`,
    [tenant.id],
  )
  expect(rows).toEqual([
    { before: 'acme', grace: '1.5' },
    { before: 'Acme Ltd', grace: null },
  ])
})

test('what cannot be used is refused with the field at fault', async () => {
  const tenant = await api.addTenant('refused')
  await api.addTenant('taken')
  const refused = async (changes: object, status: number, code: string) => {
    const body: unknown = (await tenant.call('patch', '/v1/organization', changes).expect(status))
      .body
    expect(body).toMatchObject({ code, errors: [{ field: Object.keys(changes)[0] }] })
  }
  await refused({ slug: 'taken' }, 409, 'slug_taken')
  await refused({ slug: 'with/slash' }, 422, 'invalid_request')
  await refused({ timezone: 'Mars/Olympus' }, 422, 'invalid_request')
  await refused({ currency: 'XXQ' }, 422, 'invalid_request')
  await refused({ billable_period: 'week' }, 422, 'invalid_request')
  await refused({ grace_hours: -1 }, 422, 'invalid_request')
})

test('another time zone moves usage to the month that its clock shows', async () => {
  const tenant = await api.addTenant('zone')
  await tenant.use({ customer: '1', quantity: '7', date: '2026-03-31T23:30:00Z' })
  await tenant.call('patch', '/v1/organization', { timezone: 'Europe/Berlin' }).expect(200)
  const { rows } = await api
    .owner()
    .query(
      `select period, quantity::text from usage join customers using (customer_no) where organization_id = $1`,
      [tenant.id],
    )
  expect(rows).toEqual([{ period: '2026-04', quantity: '7' }])
  await tenant.bill({ customer: '1', period: '2026-04' })
  const body: unknown = (await tenant.call('get', '/v1/invoices').expect(200)).body
  expect(body).toMatchObject({
    data: [{ period_start: '2026-03-31T22:00:00Z', period_end: '2026-04-30T22:00:00Z' }],
  })
})
