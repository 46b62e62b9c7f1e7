import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { decimal, toPlain, ZERO } from '@billtrail/domain'
import { useBillingWorker, type Tenant } from '../testing/use-billing-worker'

const setup = useBillingWorker()
const cycle = () => setup.worker().runCycle()
const CURRENT = 'billable_customers.txt'

interface File {
  readonly id: string
  readonly key: string
  readonly sha256: string
  readonly period: string
}

const filesOf = async (tenant: Tenant): Promise<File[]> => {
  const answer = await tenant.call('get', '/v1/billable-files').expect(200)
  return (answer.body as { data: File[] }).data
}

test('what was written is listed with its digest and totals, and its bytes come from the bucket', async () => {
  const tenant = await setup.addTenant('listed')
  await tenant.use(
    { customer: '1', name: 'Ann', quantity: '10' },
    { customer: '2', quantity: '21' },
  )
  await cycle()
  const [, file] = (await filesOf(tenant)).sort((a, b) => (a.key < b.key ? 1 : -1))
  const bytes = '0000000001\tAnn\t10\t$50.00\n0000000002\t2\t21\t$63.00\n'
  expect(file).toMatchObject({
    bucket: setup.bucket.bucket,
    key: `listed/${CURRENT}`,
    period: new Date().toISOString().slice(0, 7),
    sha256: createHash('sha256').update(bytes).digest('hex'),
    bytes: bytes.length,
    rows: 2,
    totals: { quantity: '31', amounts: { USD: '113.00' } },
  })
  const content = await tenant.call('get', `/v1/billable-files/${String(file?.id)}/content`)
  expect(content.status).toBe(200)
  expect(content.text).toBe(bytes)
})

test('content that a later cycle overwrote is gone, and the answer says so', async () => {
  const tenant = await setup.addTenant('gone')
  await tenant.use({ customer: '1', quantity: '10' })
  await cycle()
  const [before] = await filesOf(tenant)
  await tenant.use({ customer: '1', quantity: '1' })
  await cycle()
  const content = await tenant
    .call('get', `/v1/billable-files/${String(before?.id)}/content`)
    .expect(410)
  expect(content.body).toMatchObject({ code: 'billable_file_overwritten' })
})

test('a new slug means new keys, and files under them', async () => {
  const tenant = await setup.addTenant('old-slug')
  await tenant.use({ customer: '1', name: 'Ann', date: '2026-01-15T00:00:00Z' })
  await cycle()
  await setup
    .owner()
    .query(`update organizations set slug = 'new-slug', updated_at = now() where id = $1`, [
      tenant.id,
    ])
  await cycle()
  const key = 'new-slug/periods/2026-01/billable_customers.txt'
  expect((await setup.bucket.files().get(key))?.toString()).toBe('0000000001\tAnn\t1\t$5.00\n')
})

test('a customer renamed shows in months that are open, and not in those that are closed', async () => {
  const tenant = await setup.addTenant('renamed')
  await tenant.use({ customer: '1', name: 'Ann' }, { customer: '1', date: '2026-01-15T00:00:00Z' })
  await cycle()
  await setup
    .owner()
    .query(`update customers set name = 'Anna', updated_at = now() where organization_id = $1`, [
      tenant.id,
    ])
  await cycle()
  expect(await tenant.file()).toContain('\tAnna\t')
  expect(await tenant.file('periods/2026-01/billable_customers.txt')).toContain('\tAnn\t')
})

test('whatever the usage, lines sum to totals, and the rows of the file to the bills', async () => {
  let runs = 0
  const quantity = fc
    .tuple(fc.integer({ min: -20, max: 400 }), fc.integer({ min: 0, max: 999 }))
    .map(([whole, thousandths]) => `${whole}.${String(thousandths).padStart(3, '0')}`)
  const use = fc.record({
    customer: fc.constantFrom('1', '2', 'x', 'ü'),
    quantity,
    unitPrice: fc.option(fc.constantFrom('0.335', '12', '0.0005'), { nil: undefined }),
    date: fc.constantFrom('2026-01-31T23:59:59Z', '2026-02-01T00:00:00Z', '2026-11-21T00:00:00Z'),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(use, { minLength: 1, maxLength: 12 }), async (uses) => {
      runs += 1
      const tenant = await setup.addTenant(`property-${runs}`)
      await tenant.use(
        ...uses.map(({ unitPrice, ...rest }) =>
          unitPrice === undefined ? rest : { ...rest, unitPrice },
        ),
      )
      await cycle()
      const { rows } = await setup.owner().query<{ total: string; lines: { amount: string }[] }>(
        `select coalesce(i.total, b.total)::text as total, coalesce(i.lines, b.lines) as lines
         from bills b left join invoices i on i.customer_no = b.customer_no and i.period = b.period
         where b.organization_id = $1`,
        [tenant.id],
      )
      for (const { total, lines } of rows) {
        const amounts = lines.reduce((all, line) => all.plus(decimal(line.amount)), ZERO)
        expect(amounts.eq(decimal(total))).toBe(true)
      }
      const sent = uses.reduce((all, one) => all.plus(decimal(one.quantity)), ZERO)
      const answer = await tenant.call('get', '/v1/billing-runs').expect(200)
      const [run] = (answer.body as { data: { checks: { balanced: boolean; files: object[] } }[] })
        .data
      expect(run?.checks.balanced).toBe(true)
      const { rows: billed } = await setup
        .owner()
        .query<{ quantity: string }>(
          'select sum(quantity)::text as quantity from bills where organization_id = $1',
          [tenant.id],
        )
      expect(toPlain(decimal(billed[0]?.quantity ?? '0'))).toBe(toPlain(sent))
    }),
    { numRuns: 15 },
  )
  // Each run is a whole cycle over all organizations so far: seconds on a busy machine.
}, 120_000)
