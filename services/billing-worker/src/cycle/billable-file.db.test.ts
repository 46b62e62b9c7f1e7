import { useBillingWorker } from '../testing/use-billing-worker'

const setup = useBillingWorker()
const cycle = () => setup.worker().runCycle()

test.each([
  { units: '10', total: '$50.00' },
  { units: '11', total: '$44.00' },
  { units: '20', total: '$80.00' },
  { units: '21', total: '$63.00' },
  { units: '350', total: '$1,050.00' },
  { units: '0.5', total: '$2.50' },
])('$units units are billed $total', async ({ units, total }) => {
  const tenant = await setup.addTenant(`units-${units}`)
  await tenant.use({ customer: '7', name: 'John Smith', quantity: units })
  await cycle()
  expect(await tenant.file()).toBe(`0000000007\tJohn Smith\t${units}\t${total}\n`)
})

test('ids are padded and ascending: numbers first, then the others by their bytes', async () => {
  const tenant = await setup.addTenant('order')
  await tenant.use(
    { customer: '5150', name: 'Lester Polsfuss', quantity: '22' },
    { customer: 'b4f9', name: 'Hex' },
    { customer: '10', name: 'John Smith', quantity: '5' },
    { customer: 'B4', name: 'Capital' },
    { customer: '20020', name: 'Paul Green', quantity: '22' },
    { customer: '12345678901234567890', name: 'Long' },
    { customer: 'é', name: 'Accent' },
    { customer: '232', name: 'Mary Ford', quantity: '15' },
    { customer: '1', name: 'Joe Green', quantity: '17' },
  )
  await cycle()
  expect(await tenant.file()).toBe(
    [
      '0000000001\tJoe Green\t17\t$68.00',
      '0000000010\tJohn Smith\t5\t$25.00',
      '0000000232\tMary Ford\t15\t$60.00',
      '0000005150\tLester Polsfuss\t22\t$66.00',
      '0000020020\tPaul Green\t22\t$66.00',
      '12345678901234567890\tLong\t1\t$5.00',
      'B4\tCapital\t1\t$5.00',
      'b4f9\tHex\t1\t$5.00',
      'é\tAccent\t1\t$5.00',
      '',
    ].join('\n'),
  )
})

test('the next cycle overwrites the file, and one without news writes nothing', async () => {
  const tenant = await setup.addTenant('overwritten')
  await tenant.use({ customer: '1', name: 'Ann', quantity: '10' })
  await cycle()
  await tenant.use({ customer: '1', quantity: '1' }, { customer: '2', name: 'Bob' })
  await cycle()
  await cycle()
  expect(await tenant.file()).toBe('0000000001\tAnn\t11\t$44.00\n0000000002\tBob\t1\t$5.00\n')
  const runs = await tenant.call('get', '/v1/billing-runs').expect(200)
  expect(runs.body).toMatchObject({
    data: [
      { state: 'completed', trigger: 'cycle', checks: { balanced: true } },
      { state: 'completed', trigger: 'cycle', checks: { balanced: true } },
    ],
  })
})

test('a customer without usage is not in the file', async () => {
  const tenant = await setup.addTenant('without-usage')
  await tenant.use({ customer: '1', name: 'Ann' })
  await setup
    .owner()
    .query(`insert into customers (organization_id, id, registered_at) values ($1, '2', now())`, [
      tenant.id,
    ])
  await cycle()
  expect(await tenant.file()).toBe('0000000001\tAnn\t1\t$5.00\n')
})

test('a name with tabs and line ends cannot break a row; a customer without a name shows its id', async () => {
  const tenant = await setup.addTenant('names')
  await tenant.use({ customer: '1', name: 'A\tB\r\nC\nD' }, { customer: 'no-name' })
  await cycle()
  expect(await tenant.file()).toBe('0000000001\tA B C D\t1\t$5.00\nno-name\tno-name\t1\t$5.00\n')
})

test('events with their own price count in quantity and total', async () => {
  const tenant = await setup.addTenant('own-price')
  await tenant.use(
    { customer: '1', quantity: '10' },
    { customer: '1', quantity: '58', unitPrice: '0.05' },
  )
  await cycle()
  expect(await tenant.file()).toBe('0000000001\t1\t68\t$52.90\n')
})

test('when all usage of the month is withdrawn, the file is empty and the draft is gone', async () => {
  const tenant = await setup.addTenant('withdrawn')
  await tenant.use({ customer: '1' })
  await cycle()
  const owner = setup.owner()
  const mine = `customer_no in (select customer_no from customers where organization_id = $1)`
  await owner.query(
    `with gone as (delete from events where ${mine}), used as (
       delete from counted_usage where ${mine} returning customer_no, period)
     insert into usage_changes (customer_no, period) select customer_no, period from used`,
    [tenant.id],
  )
  await cycle()
  expect(await tenant.file()).toBe('')
  const left = await owner.query(
    `select id from invoices where organization_id = $1 union all select null from bills where organization_id = $1`,
    [tenant.id],
  )
  expect(left.rows).toEqual([])
})

test('every month with bills has its own file', async () => {
  const tenant = await setup.addTenant('months')
  await tenant.use(
    { customer: '1', name: 'Ann', date: '2026-01-31T23:59:59Z', quantity: '3' },
    { customer: '1', date: '2026-02-01T00:00:00Z', quantity: '4' },
  )
  await cycle()
  expect(await tenant.file('periods/2026-01/billable_customers.txt')).toBe(
    '0000000001\tAnn\t3\t$15.00\n',
  )
  expect(await tenant.file('periods/2026-02/billable_customers.txt')).toBe(
    '0000000001\tAnn\t4\t$20.00\n',
  )
  expect(await tenant.file()).toBeUndefined()
})

test('an organization that chose all time gets one file of all its bills', async () => {
  const tenant = await setup.addTenant('all-time')
  await setup
    .owner()
    .query(`update organizations set billable_period = 'all' where id = $1`, [tenant.id])
  await tenant.use(
    { customer: '1', name: 'Ann', date: '2026-01-15T00:00:00Z', quantity: '10' },
    { customer: '1', date: '2026-02-15T00:00:00Z', quantity: '11' },
  )
  await cycle()
  expect(await tenant.file()).toBe('0000000001\tAnn\t21\t$94.00\n')
})

test('grouped by name, quantities are summed and then rated, under the lowest id', async () => {
  const tenant = await setup.addTenant('by-name')
  await setup
    .owner()
    .query(`update organizations set billable_group_by = 'name' where id = $1`, [tenant.id])
  await tenant.use(
    { customer: '12', name: 'John Smith', quantity: '6' },
    { customer: '9', name: 'John Smith', quantity: '5' },
    { customer: '9', quantity: '2', unitPrice: '0.10' },
    { customer: '3', name: 'Mary Ford', quantity: '1' },
    { customer: 'nameless', quantity: '1' },
  )
  await cycle()
  expect(await tenant.file()).toBe(
    [
      '0000000003\tMary Ford\t1\t$5.00',
      '0000000009\tJohn Smith\t13\t$44.20',
      'nameless\tnameless\t1\t$5.00',
      '',
    ].join('\n'),
  )
})

test('a customer billed in two currencies has two rows', async () => {
  const tenant = await setup.addTenant('currencies')
  await tenant.use({ customer: '1', name: 'Ann', quantity: '3' })
  await cycle()
  const { rows } = await setup.owner().query<{ period: string }>(
    `insert into bills (customer_no, period, currency, organization_id, plan_version_id, quantity, events,
                        lines, total, engine_version, billing_run_id, billed_at)
     select customer_no, period, 'EUR', organization_id, plan_version_id, 1050, 1,
       '[{"kind": "charge", "charge_id": "x", "quantity": "1050", "amount": "1050.00", "unrounded_amount": "1050"}]',
       1050, engine_version, billing_run_id, billed_at
     from bills where organization_id = $1 returning period`,
    [tenant.id],
  )
  await setup
    .owner()
    .query(`insert into billable_changes (organization_id, period) values ($1, $2)`, [
      tenant.id,
      rows[0]?.period,
    ])
  await cycle()
  expect(await tenant.file()).toBe(
    '0000000001\tAnn\t1050\tEUR 1,050.00\n0000000001\tAnn\t3\t$15.00\n',
  )
})
