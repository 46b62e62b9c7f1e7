import { inTransaction } from '@billtrail/platform'
import { useBillingWorker, type Tenant } from '../testing/use-billing-worker'

const setup = useBillingWorker()
const cycle = () => setup.worker().runCycle()

interface InvoiceRow {
  readonly status: string
  readonly number: string | null
  readonly period: string
  readonly total: string | null
}

const invoicesOf = async (tenant: Tenant): Promise<InvoiceRow[]> => {
  const { rows } = await setup.owner().query<InvoiceRow & Record<string, unknown>>(
    `select status, number, period, total::text from invoices where organization_id = $1
     order by period, customer_no`,
    [tenant.id],
  )
  return rows
}

const runsOf = async (tenant: Tenant): Promise<unknown[]> => {
  const answer = await tenant.call('get', '/v1/billing-runs').expect(200)
  return (answer.body as { data: unknown[] }).data
}

const year = new Date().getUTCFullYear()

test('two workers at once make one cycle: one run, one bill, one number for each invoice', async () => {
  const tenant = await setup.addTenant('two-workers')
  const customers = Array.from({ length: 40 }, (_, at) => String(at + 1))
  await tenant.use(
    ...customers.map((customer) => ({ customer, quantity: '10', date: '2026-03-15T00:00:00Z' })),
  )
  const others = [setup.addWorker(), setup.addWorker()]
  await Promise.all([cycle(), ...others.map((worker) => worker.runCycle())])
  await cycle()
  expect(await runsOf(tenant)).toMatchObject([
    { state: 'completed', progress: { customers_billed: 40, invoices_finalized: 40 } },
  ])
  expect((await invoicesOf(tenant)).map((invoice) => invoice.number)).toEqual(
    customers.map((_, at) => `two-workers-${year}-${String(at + 1).padStart(6, '0')}`),
  )
})

test('a cycle cut off in the middle loses nothing: the next one is right', async () => {
  const tenant = await setup.addTenant('cut-off')
  await tenant.use({ customer: '1', name: 'Ann', quantity: '11' })
  const owner = setup.owner()
  await owner.query(`
    create function fail_drafts() returns trigger language plpgsql as $$
    begin raise exception 'cut off'; end $$;
    create trigger fail_drafts before insert on invoices for each row execute function fail_drafts()`)
  await expect(cycle()).rejects.toThrow('cut off')
  expect(
    (await owner.query('select from bills where organization_id = $1', [tenant.id])).rows,
  ).toEqual([])
  await owner.query('drop trigger fail_drafts on invoices')
  await cycle()
  expect(await tenant.file()).toBe('0000000001\tAnn\t11\t$44.00\n')
  expect(await invoicesOf(tenant)).toMatchObject([{ status: 'draft', number: null }])
  expect(await runsOf(tenant)).toMatchObject([{ state: 'completed', checks: { balanced: true } }])
})

test('a run that a dead worker left behind is taken up again', async () => {
  const tenant = await setup.addTenant('left-behind')
  await tenant.use({ customer: '1', quantity: '10' })
  const period = new Date().toISOString().slice(0, 7)
  await setup.owner().query(
    `insert into billing_runs (organization_id, trigger, period, state, started_at)
       values ($1, 'request', $2, 'running', now())`,
    [tenant.id, period],
  )
  await cycle()
  expect(await runsOf(tenant)).toMatchObject([
    { trigger: 'request', state: 'completed', progress: { customers_billed: 1 } },
  ])
})

test('a bucket that vanished is made again, with the files that were in it', async () => {
  const tenant = await setup.addTenant('bucket-gone')
  await tenant.use(
    { customer: '1', name: 'Ann', quantity: '10' },
    { customer: '1', date: '2026-01-05T00:00:00Z' },
  )
  await cycle()
  const before = await tenant.file()
  await setup.dropBucket()
  expect(await tenant.file()).toBeUndefined()
  await cycle()
  expect(await tenant.file()).toBe(before)
  expect(await tenant.file('periods/2026-01/billable_customers.txt')).toBe(
    '0000000001\tAnn\t1\t$5.00\n',
  )
  const files = await tenant.call('get', '/v1/billable-files').expect(200)
  expect((files.body as { data: unknown[] }).data).toHaveLength(3)
})

test('a file that somebody else wrote over is put back', async () => {
  const tenant = await setup.addTenant('written-over')
  await tenant.use({ customer: '1', name: 'Ann' })
  await cycle()
  await setup.bucket
    .files()
    .put('written-over/billable_customers.txt', Buffer.from('nonsense'), 'text/plain')
  await cycle()
  expect(await tenant.file()).toBe('0000000001\tAnn\t1\t$5.00\n')
})

test('a month is finalized when it is over and its grace has passed, and not before', async () => {
  const patient = setup.addWorker({ graceHours: 24 })
  const tenant = await setup.addTenant('grace')
  await tenant.use(
    { customer: '1', date: '2026-03-15T00:00:00Z', quantity: '10' },
    { customer: '2', quantity: '10' },
  )
  await patient.runCycle()
  expect((await invoicesOf(tenant)).map((invoice) => invoice.status)).toEqual(['draft', 'draft'])
  const received = async (ago: string) => {
    await setup.owner().query(
      `update counted_usage set last_received_at = now() - $2::interval
       where customer_no in (select customer_no from customers where organization_id = $1)`,
      [tenant.id, ago],
    )
    await patient.runCycle()
    return (await invoicesOf(tenant)).map((invoice) => invoice.status)
  }
  expect(await received('23 hours 59 minutes')).toEqual(['draft', 'draft'])
  expect(await received('24 hours 1 minute')).toEqual(['finalized', 'draft'])
})

test("the organization's own grace counts before the worker's", async () => {
  const tenant = await setup.addTenant('own-grace')
  await setup.owner().query('update organizations set grace_hours = 1 where id = $1', [tenant.id])
  await tenant.use({ customer: '1', date: '2026-03-15T00:00:00Z' })
  await cycle()
  expect(await invoicesOf(tenant)).toMatchObject([{ status: 'draft' }])
})

test('usage that comes too late for a finalized month changes nothing and shows as unbilled', async () => {
  const tenant = await setup.addTenant('late')
  await tenant.use({ customer: '1', name: 'Ann', date: '2026-03-15T00:00:00Z', quantity: '10' })
  await cycle()
  const before = await invoicesOf(tenant)
  const file = await tenant.file('periods/2026-03/billable_customers.txt')
  await tenant.use({ customer: '1', date: '2026-03-16T00:00:00Z', quantity: '2.5' })
  await cycle()
  expect(before).toMatchObject([{ status: 'finalized', total: '50.00' }])
  expect(await invoicesOf(tenant)).toEqual(before)
  expect(await tenant.file('periods/2026-03/billable_customers.txt')).toBe(file)
  const [latest] = await runsOf(tenant)
  expect(latest).toMatchObject({
    checks: {
      balanced: true,
      periods: [
        {
          period: '2026-03',
          events_quantity: '12.5',
          usage_quantity: '12.5',
          billed_quantity: '10',
          unbilled_quantity: '2.5',
          balanced: true,
        },
      ],
    },
  })
})

test('usage that no event stands for is an alarm: the run says that it does not balance', async () => {
  const tenant = await setup.addTenant('invented')
  await tenant.use({ customer: '1', quantity: '10' })
  const mine = `customer_no in (select customer_no from customers where organization_id = $1)`
  await setup
    .owner()
    .query(`update counted_usage set quantity = quantity + 1 where ${mine}`, [tenant.id])
  await cycle()
  expect(await runsOf(tenant)).toMatchObject([
    {
      state: 'completed',
      checks: { balanced: false, periods: [{ months_off: 1, balanced: false }] },
    },
  ])
})

test('while a worker bills an organization, another passes it by', async () => {
  const tenant = await setup.addTenant('busy')
  await tenant.use({ customer: '1' })
  await inTransaction(setup.owner(), async (sql) => {
    await sql.query('select pg_advisory_xact_lock(724561, hashtext($1))', [tenant.id])
    await cycle()
    expect(await tenant.file()).toBeUndefined()
  })
  await cycle()
  expect(await tenant.file()).toBe('0000000001\t1\t1\t$5.00\n')
})
