import { useInvoiceApi } from '../testing/use-invoice-api'

const api = useInvoiceApi()
const tiers = [
  { up_to: '10', unit_price: '5.00' },
  { up_to: '20', unit_price: '4.00' },
  { up_to: null, unit_price: '3.00' },
]

test.each([
  { quantity: '0', amount: '0.00' },
  { quantity: '10', amount: '50.00' },
  { quantity: '11', amount: '44.00' },
  { quantity: '20', amount: '80.00' },
  { quantity: '21', amount: '63.00' },
  { quantity: '350', amount: '1050.00' },
])('$quantity units are quoted at $amount', async ({ quantity, amount }) => {
  const tenant = await api.addTenant(`quote-${quantity}`)
  const body: unknown = (
    await tenant
      .call('post', '/v1/prices/quote', { price: { model: 'volume', tiers }, quantity })
      .expect(200)
  ).body
  expect(body).toMatchObject({ amount, currency: 'USD' })
})

test('a price that cannot be used is refused with the field at fault', async () => {
  const tenant = await api.addTenant('quote-refused')
  const price = { model: 'volume', tiers: tiers.slice(0, 2) }
  const body: unknown = (
    await tenant.call('post', '/v1/prices/quote', { price, quantity: '1' }).expect(422)
  ).body
  expect(JSON.stringify(body)).toContain('price.tiers')
})
