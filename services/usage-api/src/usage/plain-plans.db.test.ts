import {
  createOrganization,
  internCustomers,
  internEventTypes,
  type NewEvent,
  rateMonths,
} from '@billtrail/db'
import { eventKey } from '@billtrail/domain'
import { useTestDatabase } from '@billtrail/embedded/testing'
import { createLogger, createPool, inTransaction, type Pool, type Sql } from '@billtrail/platform'
import fc from 'fast-check'
import { groupCalls, type GroupedCalls } from './group-calls'

const database = useTestDatabase()
let pool: Pool
let calls: GroupedCalls
let organizations = 0

beforeAll(() => {
  const logger = createLogger({ service: 'test', level: 'silent' })
  pool = createPool({ url: database.url(), role: 'billtrail_usage', plansOnce: true, logger })
  calls = groupCalls(pool)
})
afterAll(() => pool.end())

/** An organization with one customer, and what says how that customer's month is priced. */
interface Priced {
  readonly organizationId: string
  readonly customerNo: number
  readonly eventTypeNo: number
  subscribed: boolean
  taxed: boolean
  taxedByDefault: boolean
  pending: boolean
  sent: number
}

async function priced(): Promise<Priced> {
  const sql = database.pool()
  const organizationId = await createOrganization(sql, { slug: `priced-${++organizations}` })
  const [customerNo] = await internCustomers(sql, organizationId, [{ id: 'c', name: null }])
  const [eventTypeNo] = await internEventTypes(sql, organizationId, ['call'])
  await sql.query(
    `insert into plans (organization_id, code, name, currency) values ($1, 'other', 'Other', 'USD')`,
    [organizationId],
  )
  await sql.query(
    `insert into plan_versions (plan_id, version, state, charges, activated_at)
     select other.id, 1, 'active', v.charges, now() from plans other, plan_versions v join plans p on p.id = v.plan_id
     where other.organization_id = $1 and other.code = 'other' and p.organization_id = $1 and p.code = 'standard'`,
    [organizationId],
  )
  return {
    ...{ organizationId, customerNo: customerNo!, eventTypeNo: eventTypeNo! },
    ...{ subscribed: false, taxed: false, taxedByDefault: false, pending: false, sent: 0 },
  }
}

/** What people and services do to it; each is one transaction. */
const changes = {
  subscribe: async (sql: Sql, of: Priced) => {
    if (of.subscribed) return
    await sql.query(
      `insert into subscriptions (customer_no, plan_version_id, start_at)
       select $1, v.id, '2026-03-03Z' from plan_versions v join plans p on p.id = v.plan_id
       where p.organization_id = $2 and p.code = 'standard' and v.state = 'active'`,
      [of.customerNo, of.organizationId],
    )
    of.subscribed = true
  },
  unsubscribe: async (sql: Sql, of: Priced) => {
    await sql.query('delete from subscriptions where customer_no = $1', [of.customerNo])
    of.subscribed = false
  },
  tax: async (sql: Sql, of: Priced) => {
    await sql.query(
      `insert into customer_taxes (customer_no, tax_rate_ids) values ($1, '{}') on conflict do nothing`,
      [of.customerNo],
    )
    of.taxed = true
  },
  untax: async (sql: Sql, of: Priced) => {
    await sql.query('delete from customer_taxes where customer_no = $1', [of.customerNo])
    of.taxed = false
  },
  taxAll: async (sql: Sql, of: Priced) => {
    await sql.query(
      `insert into tax_rates (organization_id, name, percent, inclusive, is_default) values ($1, 'VAT', 10, false, true)`,
      [of.organizationId],
    )
    of.taxedByDefault = true
  },
  untaxAll: async (sql: Sql, of: Priced) => {
    await sql.query('update tax_rates set is_default = false where organization_id = $1', [
      of.organizationId,
    ])
    of.taxedByDefault = false
  },
  activate: async (sql: Sql, of: Priced) => {
    await sql.query(
      `with retired as (
         update plan_versions v set state = 'retired', retired_at = now() from plans p
         where p.id = v.plan_id and p.organization_id = $1 and p.code = 'standard' and v.state = 'active'
         returning v.*
       )
       insert into plan_versions (plan_id, version, state, charges)
       select plan_id, version + 1, 'draft',
              regexp_replace(charges::text, '"unit_price": "[0-9]', '"unit_price": "' || version % 9 + 1, 'g')::jsonb
       from retired`,
      [of.organizationId],
    )
    await sql.query(
      `update plan_versions v set state = 'active', activated_at = now() from plans p
       where p.id = v.plan_id and p.organization_id = $1 and v.state = 'draft'`,
      [of.organizationId],
    )
  },
  choosePlan: async (sql: Sql, of: Priced) => {
    await sql.query(
      `update organizations o set default_plan_id = p.id from plans p
       where o.id = $1 and p.organization_id = o.id and p.id <> o.default_plan_id`,
      [of.organizationId],
    )
  },
  upload: async (sql: Sql, of: Priced) => {
    const { rows } = await sql.query<{ upload_no: number }>(
      `insert into uploads (organization_id, filename, state, created_by)
       values ($1, 'f.csv', 'processing', gen_random_uuid()) returning upload_no`,
      [of.organizationId],
    )
    await sql.query(
      `insert into events (customer_no, event_type_no, event_date, event_key, upload_no, line, segment_no)
       values ($1, $2, '2026-03-01T12:00:00Z', gen_random_uuid(), $3, 1, 1)`,
      [of.customerNo, of.eventTypeNo, rows[0]!.upload_no],
    )
    await sql.query(
      `update uploads set state = 'committed', rows = 1, accepted = 1, completed_at = now() where upload_no = $1`,
      [rows[0]!.upload_no],
    )
    of.pending = true
  },
  count: async (sql: Sql, of: Priced) => {
    await sql.query(
      `insert into counted_usage as usage
         (customer_no, period, event_type_no, own_price, quantity, amount, events, last_received_at)
       select $1::int, '2026-03', $2::int, false, count(*), 0, count(*), now() from uploads
       where organization_id = $3 and state = 'committed' and not usage_counted having count(*) > 0
       on conflict (customer_no, period, event_type_no, own_price) do update
         set quantity = usage.quantity + excluded.quantity, events = usage.events + excluded.events`,
      [of.customerNo, of.eventTypeNo, of.organizationId],
    )
    await sql.query('update uploads set usage_counted = true where organization_id = $1', [
      of.organizationId,
    ])
    of.pending = false
  },
}

const event = (of: Priced): NewEvent => {
  of.sent += 1
  return {
    ...{ customerNo: of.customerNo, eventTypeNo: of.eventTypeNo, quantity: '1', unitPrice: null },
    ...{ eventKey: eventKey(`e${of.sent}`), eventId: `e${of.sent}`, properties: null },
    eventDate: '2026-03-05T10:00:00Z',
  }
}

const changeNames = Object.keys(changes) as (keyof typeof changes)[]
const transaction = fc.array(fc.constantFrom(...changeNames), { minLength: 1, maxLength: 3 })

test('whatever changes between two calls, the next one is priced by it', async () => {
  const property = fc.asyncProperty(
    fc.array(transaction, { minLength: 1, maxLength: 10 }),
    async (transactions) => {
      const of = await priced()
      await calls.record(event(of))
      for (const names of transactions) {
        await inTransaction(database.pool(), async (sql) => {
          for (const name of names) await changes[name](sql, of)
        })
        const { bill } = await calls.record(event(of))
        const isPlain = !(of.subscribed || of.taxed || of.taxedByDefault || of.pending)
        expect([names, bill !== undefined]).toEqual([names, isPlain])
        if (!bill) continue
        const { organizationId, customerNo } = of
        const months = [{ customerNo, period: '2026-03' }]
        const [rated] = await rateMonths(pool, { organizationId, months })
        expect(bill.bill.total.toFixed()).toBe(rated!.bill.total.toFixed())
      }
    },
  )
  await fc.assert(property, { numRuns: 25, endOnFailure: true })
})

test('a change that is not committed yet, or is rolled back, prices nothing', async () => {
  const of = await priced()
  const other = await priced()
  for (const one of [of, other]) await calls.record(event(one))
  const undone = inTransaction(database.pool(), async (sql) => {
    await changes.subscribe(sql, of)
    await changes.taxAll(sql, other)
    const during = await Promise.all([of, other].map((one) => calls.record(event(one))))
    expect(during.map(({ bill }) => bill?.bill.total.toFixed())).toEqual(['10', '10'])
    throw new Error('undone')
  })
  await expect(undone).rejects.toThrow('undone')
  expect((await calls.record(event(of))).bill?.bill.total.toFixed()).toBe('15')
})

test('many changes in one transaction count once for their organization', async () => {
  const of = await priced()
  const generation = async () => {
    const { rows } = await database
      .pool()
      .query<{ generation: string }>(
        'select generation from rating_generations where organization_id = $1',
        [of.organizationId],
      )
    return Number(rows[0]!.generation)
  }
  const before = await generation()
  await inTransaction(database.pool(), async (sql) => {
    await sql.query(
      `insert into tax_rates (organization_id, name, percent, inclusive)
       select $1, 'tax ' || i, i, false from generate_series(1, 50) i`,
      [of.organizationId],
    )
    await changes.tax(sql, of)
  })
  expect(await generation()).toBe(before + 1)
})
