import { useBillingWorker } from '../testing/use-billing-worker'

const setup = useBillingWorker({ graceHours: 24 })
const cycle = () => setup.worker().runCycle()
const year = new Date().getUTCFullYear()

test('a run that is asked for twice is one run', async () => {
  const tenant = await setup.addTenant('asked-twice')
  const body = { period: '2026-03' }
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => tenant.call('post', '/v1/billing-runs', body).expect(202)),
  )
  const ids = new Set(answers.map((answer) => (answer.body as { id: string }).id))
  expect(ids.size).toBe(1)
  expect(answers[0]?.body).toMatchObject({ period: '2026-03', state: 'queued', finalize: false })
})

test('a month can be finalized at once, without waiting for its grace', async () => {
  const tenant = await setup.addTenant('at-once')
  await tenant.use(
    { customer: '1', name: 'Ann', quantity: '10', date: '2026-03-15T00:00:00Z' },
    { customer: '2', name: 'Bob', quantity: '21', date: '2026-03-31T23:59:59Z' },
    { customer: '2', quantity: '1', date: '2026-04-01T00:00:00Z' },
  )
  const asked = await tenant
    .call('post', '/v1/billing-runs', { period: '2026-03', finalize: true })
    .expect(202)
  const { id } = asked.body as { id: string }
  await cycle()
  const run: unknown = (await tenant.call('get', `/v1/billing-runs/${id}`).expect(200)).body
  expect(run).toMatchObject({
    id,
    state: 'completed',
    trigger: 'request',
    progress: { customers_total: 2, customers_billed: 2, invoices_finalized: 2 },
    checks: {
      balanced: true,
      periods: [
        {
          period: '2026-03',
          months: 2,
          events_quantity: '31',
          usage_quantity: '31',
          billed_quantity: '31',
          unbilled_quantity: '0',
        },
      ],
    },
  })
  const { rows } = await setup
    .owner()
    .query(
      `select number, period, total::text from invoices where organization_id = $1 order by period, customer_no`,
      [tenant.id],
    )
  expect(rows).toEqual([
    { number: `at-once-${year}-000001`, period: '2026-03', total: '50.00' },
    { number: `at-once-${year}-000002`, period: '2026-03', total: '63.00' },
    { number: null, period: '2026-04', total: null },
  ])
  expect(await tenant.file('periods/2026-03/billable_customers.txt')).toBe(
    '0000000001\tAnn\t10\t$50.00\n0000000002\tBob\t21\t$63.00\n',
  )
})

test('a month that is not over cannot be finalized', async () => {
  const tenant = await setup.addTenant('not-over')
  const period = new Date().toISOString().slice(0, 7)
  const answer = await tenant
    .call('post', '/v1/billing-runs', { period, finalize: true })
    .expect(422)
  expect(answer.body).toMatchObject({ code: 'period_not_over', errors: [{ field: 'period' }] })
  await tenant.call('post', '/v1/billing-runs', { period: '2026-13' }).expect(422)
})

test('a run of one month leaves the others in the queue', async () => {
  const tenant = await setup.addTenant('one-month')
  await tenant.use({ customer: '1', date: '2026-03-15T00:00:00Z' })
  await tenant.call('post', '/v1/billing-runs', { period: '2026-02' }).expect(202)
  await cycle()
  const list = await tenant.call('get', '/v1/billing-runs?limit=1').expect(200)
  const page = list.body as { data: { trigger: string }[]; next_cursor: string }
  expect(page.data).toMatchObject([{ trigger: 'cycle', progress: { customers_billed: 1 } }])
  const next = await tenant
    .call('get', `/v1/billing-runs?limit=1&cursor=${page.next_cursor}`)
    .expect(200)
  expect(next.body).toMatchObject({
    data: [{ trigger: 'request', period: '2026-02', progress: { customers_billed: 0 } }],
    next_cursor: null,
  })
})

test("another organization's runs and files are not there", async () => {
  const tenant = await setup.addTenant('mine')
  await tenant.use({ customer: '1' })
  await cycle()
  const runs = await tenant.call('get', '/v1/billing-runs').expect(200)
  const files = await tenant.call('get', '/v1/billable-files').expect(200)
  const [run] = (runs.body as { data: { id: string }[] }).data
  const [file] = (files.body as { data: { id: string }[] }).data
  const other = await setup.addTenant('theirs')
  await other.call('get', `/v1/billing-runs/${String(run?.id)}`).expect(404)
  await other.call('get', `/v1/billable-files/${String(file?.id)}`).expect(404)
  await other.call('get', `/v1/billable-files/${String(file?.id)}/content`).expect(404)
  const none = await other.call('get', '/v1/billable-files').expect(200)
  expect(none.body).toEqual({ data: [], next_cursor: null })
})

test('a run bills an upload whose usage waits to be counted, and counting it later changes nothing', async () => {
  const tenant = await setup.addTenant('pending')
  await tenant.use({ customer: '1', name: 'Ann', quantity: '10', date: '2026-03-15T00:00:00Z' })
  await cycle()
  const owner = setup.owner()
  const uploaded = await owner.query<{ upload_no: number }>(
    `with upload as (
       insert into uploads (organization_id, filename, state, rows, accepted, created_by, completed_at)
       values ($1, 'march.csv', 'committed', 1, 1, gen_random_uuid(), now()) returning upload_no
     )
     insert into events (customer_no, event_type_no, event_date, event_key, upload_no, line, quantity, segment_no)
     select e.customer_no, e.event_type_no, e.event_date, gen_random_uuid(), u.upload_no, 2, 11, e.segment_no
     from upload u, events e join customers c on c.customer_no = e.customer_no where c.organization_id = $1
     returning upload_no`,
    [tenant.id],
  )
  await tenant.call('post', '/v1/billing-runs', { period: '2026-03', finalize: true }).expect(202)
  await cycle()
  const file = await tenant.file('periods/2026-03/billable_customers.txt')
  expect(file).toBe('0000000001\tAnn\t21\t$63.00\n')

  await owner.query(
    `with counted as (
       update counted_usage set quantity = quantity + 11, events = events + 1
       where customer_no in (select customer_no from customers where organization_id = $1)
       returning customer_no, period
     ), upload as (update uploads set usage_counted = true where upload_no = $2)
     insert into usage_changes (customer_no, period) select customer_no, period from counted`,
    [tenant.id, uploaded.rows[0]?.upload_no],
  )
  await cycle()
  expect(await tenant.file('periods/2026-03/billable_customers.txt')).toBe(file)
  const runs = await tenant.call('get', '/v1/billing-runs').expect(200)
  expect(runs.body).toMatchObject({
    data: [
      { checks: { balanced: true, periods: [{ unbilled_quantity: '0' }] } },
      { progress: { invoices_finalized: 1 }, checks: { balanced: true } },
      { checks: { balanced: true } },
    ],
  })
})
