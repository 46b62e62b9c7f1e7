import {
  createOrganization,
  internCustomers,
  internEventTypes,
  rateMonths,
  recordEvents,
} from '@billtrail/db'
import { useTestDatabase } from '@billtrail/embedded/testing'
import { moneyText, toPlain } from '@billtrail/domain'

const database = useTestDatabase()
let organizationId: string
let eventTypeNo: number
let sent = 0

beforeAll(async () => {
  organizationId = await createOrganization(database.pool(), { slug: 'acme' })
  ;[eventTypeNo = 0] = await internEventTypes(database.pool(), organizationId, ['api_call'])
})

const customer = async (id: string): Promise<number> => {
  const [number = 0] = await internCustomers(database.pool(), organizationId, [{ id, name: null }])
  return number
}

interface Use {
  readonly quantity: string
  readonly unitPrice?: string
  readonly date?: string
}

async function use(customerNo: number, uses: readonly Use[]): Promise<void> {
  const events = uses.map((one) => {
    sent += 1
    return {
      customerNo,
      eventTypeNo,
      eventKey: `00000000-0000-4000-9000-${String(sent).padStart(12, '0')}`,
      eventId: null,
      eventDate: one.date ?? '2026-03-15T12:00:00Z',
      quantity: one.quantity,
      unitPrice: one.unitPrice ?? null,
      properties: null,
    }
  })
  await recordEvents(database.pool(), events)
}

const rate = async (customerNo: number, period = '2026-03') => {
  const [month] = await rateMonths(database.pool(), {
    organizationId,
    months: [{ customerNo, period }],
  })
  if (!month) throw new Error('The month was not rated.')
  return month
}

test.each([
  { units: '10', costs: '50.00' },
  { units: '11', costs: '44.00' },
  { units: '20', costs: '80.00' },
  { units: '21', costs: '63.00' },
  { units: '350', costs: '1050.00' },
  { units: '0.5', costs: '2.50' },
])('$units units on the default plan cost $costs', async ({ units, costs }) => {
  const customerNo = await customer(`units-${units}`)
  await use(customerNo, [{ quantity: units }])
  const month = await rate(customerNo)
  expect(moneyText(month.bill.total, month.currency)).toBe(costs)
  expect(toPlain(month.quantity)).toBe(units)
  expect(month).toMatchObject({
    currency: 'USD',
    events: 1,
    plan: { code: 'standard', version: 1 },
  })
})

test('events with their own price are on a line of their own and do not count towards the tiers', async () => {
  const customerNo = await customer('own')
  await use(customerNo, [
    { quantity: '10' },
    { quantity: '58', unitPrice: '0.05' },
    { quantity: '42', unitPrice: '0.15' },
    { quantity: '2', unitPrice: '0.050' },
  ])
  const { bill, quantity } = await rate(customerNo)
  expect(bill.lines.map((line) => [line.chargeId, moneyText(line.amount, 'USD')])).toEqual([
    ['usage', '50.00'],
    ['own_price', '9.30'],
  ])
  expect(bill.lines[1]?.subLines.map((line) => toPlain(line.units))).toEqual(['60', '42'])
  expect(toPlain(quantity)).toBe('112')
})

test("a month is the customer's own: an event at its edge counts where the customer's clock shows it", async () => {
  const customerNo = await customer('edge')
  await database
    .pool()
    .query(`update customers set timezone = 'America/New_York' where customer_no = $1`, [
      customerNo,
    ])
  await use(customerNo, [{ quantity: '4', unitPrice: '1', date: '2026-04-01T03:59:59.999999Z' }])
  await use(customerNo, [{ quantity: '8', unitPrice: '1', date: '2026-04-01T04:00:00Z' }])
  expect(toPlain((await rate(customerNo)).bill.total)).toBe('4')
  expect(toPlain((await rate(customerNo, '2026-04')).bill.total)).toBe('8')
})

test('a month without usage comes to nothing', async () => {
  const month = await rate(await customer('idle'))
  expect(toPlain(month.bill.total)).toBe('0')
  expect(month).toMatchObject({ events: 0, bill: { lines: [] } })
})

test('a customer of another organization is not rated', async () => {
  const other = await createOrganization(database.pool(), { slug: 'other' })
  const customerNo = await customer('units-10')
  expect(
    await rateMonths(database.pool(), {
      organizationId: other,
      months: [{ customerNo, period: '2026-03' }],
    }),
  ).toEqual([])
})

test('the plan is that of the subscription in force, and without one the default plan', async () => {
  const { rows } = await database.pool().query<{ id: string }>(
    `with plan as (
       insert into plans (organization_id, code, name, currency) values ($1, 'flat-rate', 'Flat', 'EUR') returning id
     )
     insert into plan_versions (plan_id, version, state, charges, activated_at)
     select id, 1, 'active', $2::jsonb, now() from plan returning id`,
    [
      organizationId,
      JSON.stringify([
        { id: 'calls', meter: 'all_usage', price: { model: 'per_unit', unit_price: '0.125' } },
      ]),
    ],
  )
  const customerNo = await customer('subscriber')
  await database.pool().query(
    `insert into subscriptions (customer_no, plan_version_id, start_at, end_at)
     values ($1, $2, '2026-03-10T00:00:00Z', '2026-05-01T00:00:00Z')`,
    [customerNo, rows[0]?.id],
  )
  for (const month of ['02', '03', '04', '05']) {
    await use(customerNo, [{ quantity: '9', date: `2026-${month}-05T00:00:00Z` }])
  }
  const costs = async (period: string) => {
    const { bill, currency } = await rate(customerNo, period)
    return `${currency} ${moneyText(bill.total, currency)}`
  }
  expect(await costs('2026-02')).toBe('USD 45.00')
  // Used on the 5th, before the subscription begins.
  expect(await costs('2026-03')).toBe('USD 45.00')
  expect(await costs('2026-04')).toBe('EUR 1.13')
  expect(await costs('2026-05')).toBe('USD 45.00')
})
