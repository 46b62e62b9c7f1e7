import { useInvoiceApi } from '../testing/use-invoice-api'

const api = useInvoiceApi()
const march = { customer: 'acme', period: '2026-03' }

async function tenantWithUsage(slug: string) {
  const tenant = await api.addTenant(slug)
  // 11 units at 4.00 and 0.335 at its own price: lines of 44.00 and 0.34.
  await tenant.use(
    { customer: 'acme', quantity: '11', date: '2026-03-01T00:00:00Z' },
    { customer: 'acme', quantity: '1', unitPrice: '0.335', date: '2026-03-02T00:00:00Z' },
  )
  const invoice = async () => {
    await tenant.bill(march)
    const list = await tenant.call('get', '/v1/invoices?customer_id=acme').expect(200)
    const [head] = (list.body as { data: { id: string }[] }).data
    return (await tenant.call('get', `/v1/invoices/${head?.id ?? ''}`).expect(200)).body as {
      id: string
      subtotal: string
      total: string
      taxes: object[]
    }
  }
  return { tenant, invoice }
}

test('taxes are on the sum of rounded lines, and lines of their own', async () => {
  const { tenant, invoice } = await tenantWithUsage('vat')
  expect(await invoice()).toMatchObject({ subtotal: '44.34', total: '44.34', taxes: [] })
  const vat = { name: 'VAT', percent: '19', default: true }
  await tenant.call('post', '/v1/tax-rates', vat).expect(201)
  const levy = { name: 'Levy', percent: '5.5', inclusive: true, default: true }
  await tenant.call('post', '/v1/tax-rates', levy).expect(201)
  const taxed = await invoice()
  expect(taxed).toMatchObject({
    subtotal: '44.34',
    total: '52.76',
    taxes: [
      { name: 'VAT', percent: '19', inclusive: false, base: '44.34', amount: '8.42' },
      { name: 'Levy', percent: '5.5', inclusive: true, base: '44.34', amount: '2.31' },
    ],
  })
  const done = await tenant.call('post', `/v1/invoices/${taxed.id}/finalize`).expect(200)
  expect(done.body).toMatchObject({ status: 'finalized', total: '52.76', taxes: taxed.taxes })
  const csv = await tenant.call('get', `/v1/invoices/${taxed.id}.csv`).expect(200)
  const rows = csv.text.trim().split('\n').slice(1)
  const sums = rows.map((row) => row.split(',')).filter((cells) => cells[5] === '')
  expect(sums.map((cells) => cells.at(-1))).toEqual(['44.00', '0.34', '8.42'])
})

test('a customer can have rates of its own, or none', async () => {
  const { tenant, invoice } = await tenantWithUsage('own')
  const rate = async (body: object) =>
    ((await tenant.call('post', '/v1/tax-rates', body).expect(201)).body as { id: string }).id
  const standard = await rate({ name: 'VAT', percent: '19', default: true })
  const reduced = await rate({ name: 'VAT, reduced', percent: '7' })
  const put = (ids: string[] | null) =>
    tenant.call('put', '/v1/customers/acme/tax-rates', { tax_rate_ids: ids }).expect(200)
  expect((await tenant.call('get', '/v1/customers/acme/tax-rates').expect(200)).body).toMatchObject(
    { own: false, data: [{ id: standard }] },
  )
  expect((await put([reduced])).body).toMatchObject({ own: true, data: [{ id: reduced }] })
  expect(await invoice()).toMatchObject({ total: '47.44', taxes: [{ amount: '3.10' }] })
  await put([])
  expect(await invoice()).toMatchObject({ total: '44.34', taxes: [] })
  await put(null)
  expect(await invoice()).toMatchObject({ total: '52.76' })
  await tenant.call('patch', `/v1/tax-rates/${standard}`, { default: false }).expect(200)
  expect(await invoice()).toMatchObject({ total: '44.34' })
})

test('a tax rate of another organization is not there', async () => {
  const { tenant } = await tenantWithUsage('mine')
  const other = await tenantWithUsage('theirs')
  const made = await other.tenant
    .call('post', '/v1/tax-rates', { name: 'VAT', percent: '19' })
    .expect(201)
  const { id } = made.body as { id: string }
  await tenant.call('get', `/v1/tax-rates/${id}`).expect(404)
  await tenant.call('patch', `/v1/tax-rates/${id}`, { default: true }).expect(404)
  const refused = await tenant
    .call('put', '/v1/customers/acme/tax-rates', { tax_rate_ids: [id] })
    .expect(422)
  expect(refused.body).toMatchObject({ errors: [{ field: 'tax_rate_ids[0]' }] })
  const page = await other.tenant.call('get', '/v1/tax-rates').expect(200)
  expect(page.body).toMatchObject({ data: [{ id, default: false }], next_cursor: null })
})
