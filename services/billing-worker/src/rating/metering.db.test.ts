import { randomUUID } from 'node:crypto'
import {
  createOrganization,
  internCustomers,
  internEventTypes,
  measureSpans,
  rateMonths,
  recordEvents,
} from '@billtrail/db'
import { useTestDatabase } from '@billtrail/embedded/testing'
import {
  aggregate,
  type Charge,
  decimal,
  type Decimal,
  instantText,
  type Meter,
  type MeterEvent,
  periodBounds,
  planUsageOf,
  ratePlan,
  type RatedUsage,
  readsOwnPrice,
  toPlain,
  usageNeeds,
} from '@billtrail/domain'
import { type PriceJson, toPrice } from '@billtrail/contracts'
import fc from 'fast-check'

const database = useTestDatabase()
const TYPES = ['call', 'storage']
/** Months in which clocks change, and one in which they don't. */
const PERIODS = ['2026-03', '2026-10', '2026-11', '2026-06'] as const
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'] as const
const HOUR = 3_600_000_000

let organizationId: string
let typeNos: number[]
let customersMade = 0

beforeAll(async () => {
  organizationId = await createOrganization(database.pool(), { slug: 'acme' })
  typeNos = await internEventTypes(database.pool(), organizationId, TYPES)
})

const properties = fc.record(
  {
    region: fc.constantFrom('eu', 'us', 'päris'),
    user: fc.constantFrom('ann', 'bob', 'cid'),
    gb: fc.constantFrom('1.5', '10', '-2', '.5', '3.', '+7', 'many', '1e3', ''),
  },
  { requiredKeys: [] },
)
const amount = fc
  .tuple(fc.integer({ min: -20, max: 100 }), fc.nat(999))
  .map(([whole, part]) => `${whole}.${String(part).padStart(3, '0')}`)

const scene = fc.record({
  period: fc.constantFrom(...PERIODS),
  zone: fc.constantFrom(...ZONES),
  events: fc.array(
    fc.record({
      type: fc.constantFrom(...TYPES),
      // From two days before the month to two days after it, often at its edges and at night.
      at: fc.oneof(
        fc.integer({ min: -48 * HOUR, max: 33 * 24 * HOUR }),
        fc.constantFrom(-1, 0, 1),
        fc.integer({ min: 0, max: 31 * 24 * 4 }).map((quarters) => (quarters * HOUR) / 4),
      ),
      fromEnd: fc.boolean(),
      quantity: amount,
      unitPrice: fc.option(fc.constantFrom('0.05', '0.050', '2', '0'), { freq: 3 }),
      properties,
    }),
    { maxLength: 25 },
  ),
})
type Scene = typeof scene extends fc.Arbitrary<infer T> ? T : never

const filter = fc.oneof(
  fc.record({ property: fc.constantFrom('region', 'user'), equals: fc.constantFrom('eu', 'ann') }),
  fc.record({
    property: fc.constantFrom('region', 'user'),
    in: fc.constant(['us', 'bob', 'päris']),
    not: fc.boolean(),
  }),
  fc.record({ property: fc.constant('gb'), exists: fc.constant(true as const), not: fc.boolean() }),
)
const meter = fc
  .record({
    aggregation: fc.constantFrom(
      ...(['count', 'sum', 'max', 'unique_count', 'latest', 'weighted_sum'] as const),
    ),
    eventType: fc.constantFrom(null, 'call', 'never'),
    property: fc.constantFrom(null, 'gb'),
    filters: fc.array(filter, { maxLength: 2 }),
    groupBy: fc.constantFrom<string[]>([], ['region'], ['user', 'region']),
  })
  .map((rule): Meter => {
    const property = rule.aggregation === 'unique_count' ? 'user' : rule.property
    return { code: 'm', ...rule, property }
  })

/** Stores the events for a new customer, and gives them as the domain sees them, in their order. */
async function store({ period, zone, events }: Scene) {
  customersMade += 1
  const pool = database.pool()
  const id = `customer-${customersMade}`
  const [customerNo = 0] = await internCustomers(pool, organizationId, [{ id, name: null }])
  await pool.query('update customers set timezone = $2 where customer_no = $1', [customerNo, zone])
  const bounds = periodBounds(period, zone)
  const span = { from: bounds.start.getTime() * 1000, to: bounds.end.getTime() * 1000 }
  const keyed = events.map((event) => ({
    ...event,
    key: randomUUID(),
    micros: (event.fromEnd ? span.to : span.from) + event.at,
  }))
  await recordEvents(
    pool,
    keyed.map((event) => ({
      customerNo,
      eventTypeNo: typeNos[TYPES.indexOf(event.type)] ?? 0,
      eventKey: event.key,
      eventId: null,
      eventDate: instantText(event.micros),
      quantity: event.quantity,
      unitPrice: event.unitPrice,
      properties: event.properties,
    })),
  )
  const seen = keyed
    .map(
      (event): MeterEvent => ({
        key: event.key,
        eventType: event.type,
        eventDate: event.micros,
        quantity: decimal(event.quantity),
        unitPrice: event.unitPrice === null ? undefined : decimal(event.unitPrice),
        properties: event.properties,
      }),
    )
    .sort((a, b) => a.eventDate - b.eventDate || ((a.key ?? '') < (b.key ?? '') ? -1 : 1))
  return { customerNo, span, events: seen }
}

const text = (value: Decimal | undefined): string | null => (value ? toPlain(value) : null)
const shown = (usage: RatedUsage, withEvents: boolean): unknown => ({
  quantity: text(usage.quantity),
  ...(withEvents
    ? {
        events: (usage.events ?? []).map((event) => [
          text(event.quantity),
          text(event.unitPrice),
          event.eventDate,
          event.properties?.['region'],
        ]),
      }
    : {}),
  groups: usage.groups?.map((group) => [group.properties, shown(group.usage, withEvents)]),
})

test('what SQL aggregates for many customers at once is what the reference makes of each, on nights of clock changes too', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(scene, { minLength: 1, maxLength: 3 }),
      meter,
      fc.boolean(),
      async (scenes, rule, ownPrices) => {
        const stored = []
        for (const one of scenes) stored.push(await store(one))
        const addsUp = rule.aggregation === 'sum' || rule.aggregation === 'count'
        const needs = {
          detail: addsUp && ownPrices ? ('events' as const) : ('quantity' as const),
          dimensions: [],
          properties: ['region'],
        }
        const spans = stored.map(({ customerNo, span }) => ({ customerNo, ...span }))
        const measured = await measureSpans(database.pool(), {
          organizationId,
          meter: rule,
          needs,
          ownPrices,
          spans,
        })
        const withEvents = needs.detail === 'events'
        const expected = stored.map(({ span, events }) => {
          const counted = events.filter((event) => ownPrices || event.unitPrice === undefined)
          return aggregate(rule, counted, { span }).usage
        })
        expect(measured.map((usage) => shown(usage, withEvents))).toEqual(
          expected.map((usage) => shown(usage, withEvents)),
        )
      },
    ),
    { numRuns: 80 },
  )
})

const PRICES: readonly PriceJson[] = [
  { model: 'per_unit', unit_price: '0.125' },
  { model: 'per_unit', unit_price: '2', free_units: '3', dedupe_by: ['user', 'region'] },
  { model: 'per_unit', unit_price: '1', cap: { per: 'user', amount: '5.00' } },
  {
    model: 'graduated',
    tiers: [
      { up_to: '10', unit_price: '1', flat_fee: '2' },
      { up_to: null, unit_price: '0.5' },
    ],
    minimum: '3.00',
  },
  { model: 'package', package_size: '7', package_price: '3' },
  { model: 'percentage', rate: '2.9' },
  { model: 'percentage', rate: '2.9', fixed_fee: '0.30', max_per_event: '1.00' },
  { model: 'dynamic' },
  { model: 'dynamic', free_units: '2', discount_percent: '10' },
  { model: 'flat', amount: '9.00' },
  {
    model: 'matrix',
    dimensions: ['region'],
    cells: [
      { match: { region: 'eu' }, price: { model: 'per_unit', unit_price: '3' } },
      { match: { region: 'us' }, price: { model: 'dynamic' } },
    ],
    default: { model: 'package', package_size: '2', package_price: '1' },
  },
]

const plan = fc.array(fc.tuple(meter, fc.constantFrom(...PRICES)), { minLength: 1, maxLength: 3 })

/** Puts a customer on a plan of its own for all time, and gives the plan as the domain sees it. */
async function subscribe(customerNo: number, parts: readonly (readonly [Meter, PriceJson])[]) {
  const made = parts.map(([rule, json], at): { meter: Meter; charge: Charge; json: PriceJson } => {
    const price = toPrice(json)
    const byEvent = usageNeeds(price).detail !== 'quantity' || readsOwnPrice(price)
    const { aggregation } = rule
    const addsUp = aggregation === 'sum' || aggregation === 'count'
    const code = `m${customerNo}-${at}`
    // Prices of single events go with sums and counts alone.
    const sound: Meter = {
      ...rule,
      code,
      aggregation: byEvent && !addsUp ? 'sum' : aggregation,
      property: rule.property === 'user' && byEvent ? null : rule.property,
    }
    return { meter: sound, charge: { id: `c${at}`, name: `c${at}`, meter: code, price }, json }
  })
  const pool = database.pool()
  for (const { meter: rule } of made) {
    await pool.query(
      `insert into meters (organization_id, code, name, event_type, aggregation, property, filters, group_by)
       values ($1, $2, $2, $3, $4, $5, $6::jsonb, $7)`,
      [
        organizationId,
        rule.code,
        rule.eventType,
        rule.aggregation,
        rule.property,
        JSON.stringify(rule.filters),
        rule.groupBy,
      ],
    )
  }
  const charges = made.map(({ charge, json }) => ({
    id: charge.id,
    meter: charge.meter,
    price: json,
  }))
  await pool.query(
    `with plan as (
       insert into plans (organization_id, code, name, currency) values ($1, $2, $2, 'USD') returning id
     ), version as (
       insert into plan_versions (plan_id, version, state, charges, activated_at)
       select id, 1, 'active', $3::jsonb, now() from plan returning id
     )
     insert into subscriptions (customer_no, plan_version_id, start_at) select $4, id, '2020-01-01' from version`,
    [organizationId, `p${customerNo}`, JSON.stringify(charges), customerNo],
  )
  return {
    plan: { currency: 'USD', charges: made.map(({ charge }) => charge) },
    meters: made.map(({ meter: rule }) => rule),
  }
}

test('a month of any plan is rated in the database as the reference rates its events', async () => {
  await fc.assert(
    fc.asyncProperty(scene, plan, async (one, parts) => {
      const { customerNo, span, events } = await store(one)
      const { plan: version, meters } = await subscribe(customerNo, parts)
      const [rated] = await rateMonths(database.pool(), {
        organizationId,
        months: [{ customerNo, period: one.period }],
      })
      const usage = planUsageOf(version, { meters, events, span })
      const expected = ratePlan({ plan: version, usage })
      const linesOf = ({ lines }: typeof expected) =>
        lines.map((line) => [
          line.chargeId,
          line.kind,
          line.description,
          text(line.quantity),
          text(line.amount),
        ])
      expect(rated && linesOf(rated.bill)).toEqual(linesOf(expected))
      const inMonth = events.filter(
        (event) => event.eventDate >= span.from && event.eventDate < span.to,
      )
      expect(rated?.events).toBe(inMonth.length)
    }),
    { numRuns: 80 },
  )
})
