import { useBillingWorker } from '../testing/use-billing-worker'

const setup = useBillingWorker()
const cycle = () => setup.worker().runCycle()

const periodsAgo = (months: number): string => {
  const now = new Date()
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1)).toISOString()
}

/** Puts every customer of the organization on a plan of these charges, two months ago. */
async function subscribe(organizationId: string, charges: readonly object[]): Promise<void> {
  await setup.owner().query(
    `with plan as (
       insert into plans (organization_id, code, name, currency) values ($1, 'pro', 'Pro', 'USD') returning id
     ), version as (
       insert into plan_versions (plan_id, version, state, charges, activated_at)
       select id, 1, 'active', $2::jsonb, now() from plan returning id
     )
     insert into subscriptions (customer_no, plan_version_id, start_at)
     select c.customer_no, v.id, $3 from version v, customers c where c.organization_id = $1`,
    [organizationId, JSON.stringify(charges), periodsAgo(2)],
  )
}

test('a subscription with a flat charge is billed month after month, with usage or without', async () => {
  const tenant = await setup.addTenant('flat')
  await tenant.use({ customer: '1', quantity: '1', date: '2020-01-01T00:00:00Z' })
  await cycle()
  const charges = [{ id: 'fee', name: 'Fee', price: { model: 'flat', amount: '49.00' } }]
  await subscribe(tenant.id, charges)
  await cycle()
  const { rows } = await setup.owner().query(
    `select i.period, coalesce(i.total, b.total)::text as total, i.status
     from invoices i left join bills b using (customer_no, period, currency)
     where i.organization_id = $1 order by i.period`,
    [tenant.id],
  )
  expect(rows).toEqual([
    { period: '2020-01', total: '5.00', status: 'finalized' },
    { period: periodsAgo(2).slice(0, 7), total: '49.00', status: 'finalized' },
    { period: periodsAgo(1).slice(0, 7), total: '49.00', status: 'finalized' },
    { period: periodsAgo(0).slice(0, 7), total: '49.00', status: 'draft' },
  ])

  const runs = async (): Promise<number> =>
    ((await tenant.call('get', '/v1/billing-runs').expect(200)).body as { data: unknown[] }).data
      .length
  const before = await runs()
  await cycle()
  expect(await runs()).toBe(before)
})

test('a level is handed on from month to month, and usage that comes late changes every month after it', async () => {
  const tenant = await setup.addTenant('level')
  const [first, second, third] = [2, 1, 0].map((ago) => periodsAgo(ago)) as [string, string, string]
  await setup
    .owner()
    .query('update organizations set grace_hours = 5000 where id = $1', [tenant.id])
  // An event keeps its month open for the grace period; one without would be finalized at once.
  await tenant.use(
    { customer: '1', quantity: '100', date: first },
    { customer: '1', quantity: '0', date: second },
  )
  await setup.owner().query(
    `insert into meters (organization_id, code, name, aggregation)
     values ($1, 'level', 'Level', 'weighted_sum')`,
    [tenant.id],
  )
  await subscribe(tenant.id, [
    { id: 'gb', meter: 'level', price: { model: 'per_unit', unit_price: '0.10' } },
  ])
  const totals = async () => {
    await cycle()
    const { rows } = await setup
      .owner()
      .query<{ total: string }>(
        'select total::text from bills where organization_id = $1 order by period',
        [tenant.id],
      )
    return rows.map((row) => row.total)
  }
  expect(await totals()).toEqual(['10.00', '10.00'])
  expect(await totals()).toEqual(['10.00', '10.00', '10.00'])
  await tenant.use({ customer: '1', quantity: '50', date: second })
  expect(await totals()).toEqual(['10.00', '15.00', '15.00'])
  await tenant.use({ customer: '1', quantity: '-150', date: third })
  expect(await totals()).toEqual(['10.00', '15.00', '0.00'])
})
