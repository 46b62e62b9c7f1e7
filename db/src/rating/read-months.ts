import { decimal, type Decimal, type Tax, toPlain, ZERO } from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'

/** A customer's month: the unit that is rated and billed. */
export interface Month {
  readonly customerNo: number
  /** `YYYY-MM` in the customer's zone. */
  readonly period: string
}

/** The month's events of one type, added up; numbers are plain decimal texts. */
export interface TypeUsage {
  readonly eventType: string
  readonly quantity: string
  readonly events: number
}

/** The month's events that carry one and the same unit price, added up. */
export interface OwnPriceUsage {
  readonly unitPrice: string
  readonly quantity: string
}

/** All events of a month or of a part of it: those without a price of their own by type, the others by that price. */
export interface UsageTotals {
  /** Events without a price of their own. */
  readonly types: readonly TypeUsage[]
  /** Events with their own price, by that price. */
  readonly ownPrices: readonly OwnPriceUsage[]
  readonly ownPriceEvents: number
}

/** A subscription that touches the month, in microseconds since 1970; `to` null: without an end. */
export interface MonthSubscription {
  readonly planVersionId: string
  readonly from: number
  readonly to: number | null
  /** As they were saved. */
  readonly overrides: unknown
}

/** A customer's month as it stands: its span, what was used in it, and who says what that costs. */
export interface MonthState extends Month {
  /** IANA name; the customer's, else the organization's. */
  readonly zone: string
  /** The month is [from, to), in microseconds since 1970. */
  readonly from: number
  readonly to: number
  readonly usage: UsageTotals
  /** All events by type, those with their own price too; plain decimal texts without trailing zeros. */
  readonly allTypes: readonly TypeUsage[]
  /** In their order; they do not overlap. */
  readonly subscriptions: readonly MonthSubscription[]
  /** The active version of the organization's default plan. */
  readonly defaultVersionId: string | null
  /** The customer's own, else the organization's. */
  readonly taxes: readonly Tax[]
}

interface Row {
  customer_no: number
  period: string
  zone: string
  month_from: string
  month_to: string
  default_version_id: string | null
  subscriptions: [string, string, string | null, unknown][] | null
  taxes: [string, string, boolean][] | null
  types: [name: string, quantity: string, events: string, ownPrice: boolean][] | null
  own_prices: [string, string][] | null
  own_events: string | null
}

const micros = (instant: string): string => `round(extract(epoch from ${instant}) * 1000000)::text`

// Usage keeps events with their own price as one sum; their single prices are read from the events, and only for
// months that have such: joined, they would be read for every month. Dates a day around the month hold it in every zone;
// the text of the month decides. Customers are looked up one by one: a plan made while they were few would go through
// all of the organization's.
const MONTHS = `
  select w.customer_no, w.period, local.zone,
         ${micros('span.month_start')} as month_from, ${micros('span.month_end')} as month_to,
         (select v.id from plan_versions v where v.plan_id = o.default_plan_id and v.state = 'active')
           as default_version_id,
         (select json_agg(json_build_array(s.plan_version_id, ${micros('s.start_at')}, ${micros('s.end_at')}, s.overrides)
                          order by s.start_at)
          from subscriptions s
          where s.customer_no = w.customer_no and s.start_at < span.month_end
            and (s.end_at is null or s.end_at > span.month_start)) as subscriptions,
         (select json_agg(json_build_array(t.name, t.percent::text, t.inclusive) order by t.created_at, t.id)
          from tax_rates t
          where t.organization_id = o.id
            and case when own_taxes.customer_no is null then t.is_default else t.id = any(own_taxes.tax_rate_ids) end
         ) as taxes,
         used.types, used.own_events,
         case when used.own_events is not null then (
           select json_agg(json_build_array(p.unit_price::text, p.quantity::text) order by p.unit_price)
           from (
             select e.unit_price, sum(e.quantity) as quantity
             from events e
             where e.customer_no = w.customer_no and e.unit_price is not null
               and e.event_date >= (local.first_day - interval '1 day') at time zone 'UTC'
               and e.event_date < (local.first_day + interval '1 month 1 day') at time zone 'UTC'
               and to_char(e.event_date at time zone local.zone, 'YYYY-MM') = w.period
             group by e.unit_price
           ) as p
         ) end as own_prices
  from unnest($2::int[], $3::text[]) with ordinality as w (customer_no, period, position)
  cross join lateral (
    select * from customers where customer_no = w.customer_no and organization_id = $1 offset 0
  ) as c
  join organizations o on o.id = c.organization_id
  left join customer_taxes own_taxes on own_taxes.customer_no = c.customer_no
  cross join lateral (
    select coalesce(c.timezone, o.timezone) as zone, (w.period || '-01')::timestamp as first_day
  ) as local
  cross join lateral (
    select local.first_day at time zone local.zone as month_start,
           (local.first_day + interval '1 month') at time zone local.zone as month_end
  ) as span
  cross join lateral (
    select json_agg(json_build_array(t.name, u.quantity::text, u.events::text, u.own_price)
                    order by u.event_type_no, u.own_price) as types,
           sum(u.events) filter (where u.own_price) as own_events
    from (
      select event_type_no, own_price, sum(quantity) as quantity, sum(events) as events
      from usage
      where customer_no = w.customer_no and period = w.period
      group by event_type_no, own_price
    ) as u
    join event_types t on t.event_type_no = u.event_type_no
  ) as used
  order by w.position`

/** The state of months, in the order asked; a customer of another organization is left out. One statement: one moment. */
export async function readMonths(
  sql: Sql,
  request: { organizationId: string; months: readonly Month[] },
): Promise<MonthState[]> {
  const { rows } = await sql.query<Row & Record<string, unknown>>(MONTHS, [
    request.organizationId,
    request.months.map((month) => month.customerNo),
    request.months.map((month) => month.period),
  ])
  return rows.map((row) => ({
    customerNo: row.customer_no,
    period: row.period,
    zone: row.zone,
    from: Number(row.month_from),
    to: Number(row.month_to),
    usage: usageOf(row),
    allTypes: allTypesOf(row),
    subscriptions: (row.subscriptions ?? []).map(([planVersionId, from, to, overrides]) => ({
      planVersionId,
      from: Number(from),
      to: to === null ? null : Number(to),
      overrides,
    })),
    defaultVersionId: row.default_version_id,
    taxes: (row.taxes ?? []).map(([name, percent, inclusive]) => ({
      name,
      ratePercent: decimal(percent),
      inclusive,
    })),
  }))
}

function usageOf(row: Row): UsageTotals {
  const tiered = (row.types ?? []).filter(([, , , isOwnPrice]) => !isOwnPrice)
  return {
    types: tiered.map(([eventType, quantity, events]) => ({
      eventType,
      quantity,
      events: Number(events),
    })),
    ownPrices: (row.own_prices ?? []).map(([unitPrice, quantity]) => ({ unitPrice, quantity })),
    ownPriceEvents: Number(row.own_events ?? 0),
  }
}

/** Whatever they cost. */
function allTypesOf({ types }: Row): TypeUsage[] {
  const totals = new Map<string, { quantity: Decimal; events: number }>()
  for (const [eventType, quantity, events] of types ?? []) {
    const total = totals.get(eventType) ?? { quantity: ZERO, events: 0 }
    totals.set(eventType, {
      quantity: total.quantity.plus(decimal(quantity)),
      events: total.events + Number(events),
    })
  }
  return [...totals].map(([eventType, { quantity, events }]) => ({
    eventType,
    quantity: toPlain(quantity),
    events,
  }))
}
