import type { Sql } from '@billtrail/platform'

const OPEN = (customerNo: string, period: string): string => `not exists (
  select from invoices i where i.customer_no = ${customerNo} and i.period = ${period}
    and i.status in ('finalized', 'paid'))`

/**
 * Queues for billing every open month of the organization's customers: the default plan or a tax has changed. A month
 * that was finalized stays as it was billed.
 */
export async function queueOpenMonths(sql: Sql, organizationId: string): Promise<void> {
  await sql.query(
    `insert into usage_changes (customer_no, period)
     select u.customer_no, u.period
     from (
       select u.customer_no, u.period
       from customers c join counted_usage u on u.customer_no = c.customer_no
       where c.organization_id = $1
       union
       select customer_no, period from pending_usage where organization_id = $1
     ) u
     where ${OPEN('u.customer_no', 'u.period')}`,
    [organizationId],
  )
}

/**
 * Queues for billing the customer's open months that the span [from, to) touches, up to now: those with usage, and
 * those without, which flat charges are for. Instants are RFC 3339; `to` null: without an end.
 */
export async function queueSpanMonths(
  sql: Sql,
  { customerNo, from, to }: { customerNo: number; from: string; to: string | null },
): Promise<void> {
  await sql.query(
    `with local as (
       select $2::timestamptz at time zone z.zone as first,
              least(coalesce($3::timestamptz, 'infinity'), now()) at time zone z.zone as last,
              coalesce($3::timestamptz, 'infinity') at time zone z.zone as until
       from customers c join organizations o on o.id = c.organization_id
       cross join lateral (select coalesce(c.timezone, o.timezone) as zone) as z
       where c.customer_no = $1
     ), months as (
       select to_char(month, 'YYYY-MM') as period
       from local, generate_series(date_trunc('month', first), last, interval '1 month') as month
       union
       select u.period from usage u, local
       where u.customer_no = $1 and u.period >= to_char(first, 'YYYY-MM')
         and (until = 'infinity' or u.period <= to_char(until, 'YYYY-MM'))
     )
     insert into usage_changes (customer_no, period)
     select $1::int, period from months m where ${OPEN('$1::int', 'm.period')}`,
    [customerNo, from, to],
  )
}

/** A price of a month even without usage: a flat amount, a minimum, or the first tier's fee. */
const COSTS_UNUSED = `'$[*].price ? (@.model == "flat" || exists(@.minimum) || exists(@.tiers[0].flat_fee))'`

/** Does the version `v` of an organization's plan count a level, which months hand on to the next? */
const CARRIES_LEVEL = `exists (
  select from jsonb_array_elements(v.charges) as charge
  join meters m on m.organization_id = p.organization_id and m.code = charge ->> 'meter'
  where m.aggregation = 'weighted_sum')`

/**
 * Queues for billing the months of this and the last quarter-year that have no bill yet although a subscription costs
 * something in them without usage: by a flat charge, or by a level that the month before, which has a bill, hands on.
 * So a month that begins is billed although nothing happened in it.
 */
export async function queueSubscribedMonths(sql: Sql, organizationId: string): Promise<void> {
  const subscribed = `select from subscriptions s join customers c on c.customer_no = s.customer_no
    where c.organization_id = $1`
  if (!(await exists(sql, subscribed, organizationId))) return
  await sql.query(
    `insert into usage_changes (customer_no, period)
     select distinct c.customer_no, m.period
     from plans p
     join plan_versions v on v.plan_id = p.id
     join subscriptions s on s.plan_version_id = v.id
     join customers c on c.customer_no = s.customer_no
     join organizations o on o.id = c.organization_id
     cross join lateral (
       select to_char(month, 'YYYY-MM') as period
       from generate_series(
         date_trunc('month', greatest(s.start_at, now() - interval '3 months') at time zone coalesce(c.timezone, o.timezone)),
         least(coalesce(s.end_at - interval '1 microsecond', 'infinity'), now()) at time zone coalesce(c.timezone, o.timezone),
         interval '1 month') as month
     ) as m
     where p.organization_id = $1
       and (v.charges @? ${COSTS_UNUSED} or s.overrides @? ${COSTS_UNUSED} or (${CARRIES_LEVEL} and exists (
         select from bills b
         where b.customer_no = c.customer_no
           and b.period = to_char((m.period || '-01')::date - interval '1 month', 'YYYY-MM'))))
       and not exists (
         select from bills b
         where b.customer_no = c.customer_no and b.period = m.period and b.currency = p.currency)
       and ${OPEN('c.customer_no', 'm.period')}`,
    [organizationId],
  )
}

/**
 * Adds to the months that wait to be billed the later ones of the same customers that a level is handed on to: usage that
 * comes late changes them too.
 */
export async function queueCarriedMonths(sql: Sql, organizationId: string): Promise<void> {
  const levels = `select from meters m where m.organization_id = $1 and m.aggregation = 'weighted_sum'`
  if (!(await exists(sql, levels, organizationId))) return
  await sql.query(
    `insert into months_to_bill (customer_no, period, organization_id)
     select distinct b.customer_no, b.period, q.organization_id
     from months_to_bill q
     join bills b on b.customer_no = q.customer_no and b.period > q.period
     where q.organization_id = $1
       and (b.plan is not null or b.plan_version_id in (
         select v.id from plans p join plan_versions v on v.plan_id = p.id
         where p.organization_id = $1 and ${CARRIES_LEVEL}))
       and ${OPEN('b.customer_no', 'b.period')}
     order by 1, 2
     on conflict (customer_no, period) do nothing`,
    [organizationId],
  )
}

/** Most organizations have none of it, and a cycle that has nothing to do should cost nothing. */
async function exists(sql: Sql, select: string, organizationId: string): Promise<boolean> {
  const { rows } = await sql.query<{ found: boolean }>(`select exists (${select}) as found`, [
    organizationId,
  ])
  return rows[0]?.found === true
}
