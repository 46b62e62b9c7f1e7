import { useInvoiceApi, type Tenant } from '../testing/use-invoice-api'

const api = useInvoiceApi()
const MARCH = { customer: '1', period: '2026-03' }

interface Head {
  readonly id: string
  readonly number: string | null
  readonly total: string
}

/** A tenant with customer 1, Ann, and a draft of March 2026. */
async function withDraft(slug: string, quantity = '11'): Promise<{ tenant: Tenant; id: string }> {
  const tenant = await api.addTenant(slug)
  await tenant.use({ customer: '1', name: 'Ann', quantity, date: '2026-03-15T12:00:00Z' })
  await tenant.bill(MARCH)
  return { tenant, id: (await only(tenant)).id }
}

async function only(tenant: Tenant): Promise<Head> {
  const answer = await tenant.call('get', '/v1/invoices').expect(200)
  const { data } = answer.body as { data: Head[] }
  expect(data).toHaveLength(1)
  return data[0]!
}

test('an invoice shows its lines, their arithmetic and the plan that priced them', async () => {
  const { tenant, id } = await withDraft('shown')
  await tenant.use({
    customer: '1',
    quantity: '3',
    unitPrice: '0.335',
    date: '2026-03-31T23:59:59Z',
  })
  await tenant.bill(MARCH)
  const body: unknown = (await tenant.call('get', `/v1/invoices/${id}`).expect(200)).body
  expect(body).toMatchObject({
    id,
    number: null,
    status: 'draft',
    customer: { id: '1', name: 'Ann' },
    period: '2026-03',
    period_start: '2026-03-01T00:00:00Z',
    period_end: '2026-04-01T00:00:00Z',
    currency: 'USD',
    quantity: '14',
    subtotal: '45.01',
    total: '45.01',
    plan: { code: 'standard', version: 1, currency: 'USD' },
    line_items: [
      {
        charge_id: 'usage',
        quantity: '11',
        amount: '44.00',
        sub_line_items: [
          { units: '11', unit_price: '4', amount: '44', tier: { from: '10', up_to: '20' } },
        ],
      },
      { charge_id: 'own_price', quantity: '3', unrounded_amount: '1.005', amount: '1.01' },
    ],
  })
})

test('the same invoice as CSV: lines sum to the total, and formulas are neutralised', async () => {
  const tenant = await api.addTenant('csv')
  await tenant.use({ customer: '=1', quantity: '11', date: '2026-03-15T12:00:00Z' })
  await tenant.bill({ customer: '=1', period: '2026-03' })
  const { id } = await only(tenant)
  const answer = await tenant.call('get', `/v1/invoices/${id}.csv`).expect(200)
  expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8')
  const lines = answer.text.split('\n')
  expect(lines[1]).toBe(`,'=1,2026-03,USD,1,,usage,Usage,11,,,44.00`)
  expect(lines[2]).toContain(`,'=1,2026-03,USD,1,1,usage,`)
})

test('drafts are current, everything else is past', async () => {
  const { tenant, id } = await withDraft('current')
  await tenant.use({ customer: '1', date: '2026-04-01T00:00:00Z' })
  await tenant.bill({ customer: '1', period: '2026-04' })
  await tenant.call('post', `/v1/invoices/${id}/finalize`).expect(200)
  const periods = async (query: string) => {
    const answer = await tenant.call('get', `/v1/invoices?${query}`).expect(200)
    return (answer.body as { data: { period: string }[] }).data.map((one) => one.period)
  }
  expect(await periods('')).toEqual(['2026-04', '2026-03'])
  expect(await periods('status=current')).toEqual(['2026-04'])
  expect(await periods('status=past')).toEqual(['2026-03'])
  expect(await periods('status=finalized')).toEqual(['2026-03'])
  expect(await periods('status=void')).toEqual([])
  expect(await periods('period=2026-04&customer_id=1')).toEqual(['2026-04'])
  expect(await periods('customer_id=unknown')).toEqual([])
  await tenant.call('get', '/v1/customers/1/invoices?status=past').expect(200)
  await tenant.call('get', '/v1/customers/unknown/invoices').expect(404)
  await tenant.call('get', '/v1/invoices?status=nonsense').expect(422)
})

test('a list is paged without losing or repeating an invoice', async () => {
  const tenant = await api.addTenant('paged')
  const months = ['2026-01', '2026-02', '2026-03'].flatMap((period) =>
    ['1', '2', '3'].map((customer) => ({ customer, period })),
  )
  await tenant.use(
    ...months.map(({ customer, period }) => ({ customer, date: `${period}-10T00:00:00Z` })),
  )
  await tenant.bill(...months)
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`
    const answer = await tenant.call('get', `/v1/invoices?limit=4${query}`).expect(200)
    const body = answer.body as { data: Head[]; next_cursor: string | null }
    seen.push(...body.data.map((one) => one.id))
    cursor = body.next_cursor
  }
  expect(new Set(seen).size).toBe(9)
  expect(seen).toHaveLength(9)
})

test('finalized twice, an invoice keeps its number, and one audit row tells of it', async () => {
  const { tenant, id } = await withDraft('twice')
  const first = await tenant.call('post', `/v1/invoices/${id}/finalize`).expect(200)
  const again = await tenant.call('post', `/v1/invoices/${id}/finalize`).expect(200)
  const year = new Date().getUTCFullYear()
  expect(first.body).toMatchObject({ status: 'finalized', number: `twice-${year}-000001` })
  expect(again.body).toEqual(first.body)
  const { rows } = await api
    .owner()
    .query(
      `select action, before, after ->> 'total' as total from audit_log where organization_id = $1`,
      [tenant.id],
    )
  expect(rows).toEqual([
    { action: 'invoice.finalized', before: { status: 'draft' }, total: '44.00' },
  ])
})

test('finalized by many at the same moment, each invoice has one number and no number is left out', async () => {
  const tenant = await api.addTenant('crowd')
  const customers = Array.from({ length: 12 }, (_, at) => String(at + 1))
  await tenant.use(...customers.map((customer) => ({ customer, date: '2026-03-15T00:00:00Z' })))
  await tenant.bill(...customers.map((customer) => ({ customer, period: '2026-03' })))
  const list = await tenant.call('get', '/v1/invoices').expect(200)
  const ids = (list.body as { data: Head[] }).data.map((one) => one.id)
  const answers = await Promise.all(
    [...ids, ...ids].map((id) => tenant.call('post', `/v1/invoices/${id}/finalize`)),
  )
  expect(answers.map((answer) => answer.status)).toEqual(answers.map(() => 200))
  const numbers = new Map(answers.map(({ body }) => [(body as Head).id, (body as Head).number]))
  const year = new Date().getUTCFullYear()
  expect([...numbers.values()].sort()).toEqual(
    customers.map((_, at) => `crowd-${year}-${String(at + 1).padStart(6, '0')}`),
  )
})

test('usage that came since the last cycle is on the finalized invoice', async () => {
  const { tenant, id } = await withDraft('since', '10')
  await tenant.use({ customer: '1', quantity: '11', date: '2026-03-20T00:00:00Z' })
  const body: unknown = (await tenant.call('post', `/v1/invoices/${id}/finalize`).expect(200)).body
  expect(body).toMatchObject({ quantity: '21', total: '63.00' })
})

test('a finalized invoice never changes, whatever arrives or is renamed later', async () => {
  const { tenant, id } = await withDraft('immutable')
  const before: unknown = (await tenant.call('post', `/v1/invoices/${id}/finalize`).expect(200))
    .body
  await tenant.use({ customer: '1', quantity: '100', date: '2026-03-20T00:00:00Z' })
  await tenant.bill(MARCH)
  await api
    .owner()
    .query(`update customers set name = 'Renamed' where organization_id = $1`, [tenant.id])
  expect((await tenant.call('get', `/v1/invoices/${id}`)).body).toEqual(before)
  await expect(
    api.owner().query(`update invoices set total = 1 where id = $1`, [id]),
  ).rejects.toThrow('it never changes')
})

test('an invoice cannot be finalized before its month is over', async () => {
  const tenant = await api.addTenant('too-early')
  const now = new Date()
  await tenant.use({ customer: '1', date: now.toISOString() })
  await tenant.bill({ customer: '1', period: now.toISOString().slice(0, 7) })
  const { id } = await only(tenant)
  const body: unknown = (await tenant.call('post', `/v1/invoices/${id}/finalize`).expect(409)).body
  expect(body).toMatchObject({ code: 'period_not_over' })
})

test("another organization's invoice is not there", async () => {
  const { id } = await withDraft('mine')
  const other = await api.addTenant('theirs')
  await other.call('get', `/v1/invoices/${id}`).expect(404)
  await other.call('get', `/v1/invoices/${id}.csv`).expect(404)
  await other.call('post', `/v1/invoices/${id}/finalize`).expect(404)
  await other.call('get', '/v1/customers/1/invoices').expect(404)
  await api.anonymous().get(`/v1/invoices/${id}`).expect(401)
})
