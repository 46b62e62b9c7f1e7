import type { Sql } from '@billtrail/platform'

const USAGE = `
  with counted as (
    select e.customer_no, to_char(e.event_date at time zone coalesce(c.timezone, o.timezone), 'YYYY-MM') as period,
           e.event_type_no, e.unit_price is not null as own_price, sum(e.quantity) as quantity,
           coalesce(sum(e.quantity * e.unit_price), 0) as amount, count(*) as events
    from events e
    join customers c on c.customer_no = e.customer_no
    join organizations o on o.id = c.organization_id
    group by 1, 2, 3, 4
  ), told as (
    select customer_no, period, event_type_no, own_price, sum(quantity) as quantity,
           sum(amount) as amount, sum(events) as events
    from usage group by 1, 2, 3, 4
  )
  select 'usage' as about, customer_no || ' ' || period || ' ' || event_type_no as which,
         'events say ' || coalesce(a.events, 0) || ' of ' || coalesce(a.quantity, 0)
         || ', usage says ' || coalesce(b.events, 0) || ' of ' || coalesce(b.quantity, 0) as difference
  from counted a full join told b using (customer_no, period, event_type_no, own_price)
  where (coalesce(a.quantity, 0), coalesce(a.amount, 0), coalesce(a.events, 0))
     <> (coalesce(b.quantity, 0), coalesce(b.amount, 0), coalesce(b.events, 0))`

const QUEUE = `
  select 'billing queue', u.customer_no || ' ' || u.period, 'the month changed and nobody was told'
  from counted_usage u where not exists (
    select from usage_changes q where q.customer_no = u.customer_no and q.period = u.period)`

const UPLOADS = `
  select 'upload', u.upload_no || ' ' || u.state,
         'events ' || e.stored || ', claims ' || c.claimed || ', staged ' || s.staged
         || ' for rows ' || u.rows || ', accepted ' || u.accepted || ', rejected ' || u.rejected
  from uploads u
  cross join lateral (select count(*) as stored from events where upload_no = u.upload_no) e
  cross join lateral (select count(*) as claimed from claims where upload_no = u.upload_no) c
  cross join lateral (select count(*) as staged from staged_events where upload_no = u.upload_no) s
  where case u.state
    when 'committed' then (e.stored, c.claimed, s.staged) <> (u.accepted, u.duplicates + u.conflicts, 0)
      or u.rows <> u.accepted + u.duplicates + u.conflicts + u.rejected
    when 'failed' then (e.stored, c.claimed, s.staged) <> (0, 0, 0)
      or exists (select from upload_rejects r where r.upload_no = u.upload_no)
    else false
  end`

/** Where usage, events and uploads do not agree, in words; empty when every row is accounted for. */
export async function imbalances(sql: Sql): Promise<object[]> {
  const { rows } = await sql.query<{ about: string; which: string; difference: string }>(
    `${USAGE} union all ${QUEUE} union all ${UPLOADS}`,
  )
  return rows
}

/** What counts for an organization, without where it came from: comparable between two organizations. */
export async function whatCounts(sql: Sql, organizationId: string): Promise<object> {
  const events = await sql.query(
    `select c.id, t.name, e.event_key, e.event_id, e.event_date, trim_scale(e.quantity) as quantity,
            trim_scale(e.unit_price) as unit_price, e.properties
     from events e join customers c on c.customer_no = e.customer_no
     join event_types t on t.event_type_no = e.event_type_no
     where c.organization_id = $1 order by c.id, e.event_key`,
    [organizationId],
  )
  const usage = await sql.query(
    `select c.id, t.name, u.period, u.own_price, trim_scale(sum(u.quantity)) as quantity,
            trim_scale(sum(u.amount)) as amount, sum(u.events)::int as events
     from usage u join customers c on c.customer_no = u.customer_no
     join event_types t on t.event_type_no = u.event_type_no
     where c.organization_id = $1
     group by c.id, t.name, u.period, u.own_price order by c.id, t.name, u.period, u.own_price`,
    [organizationId],
  )
  return { events: events.rows, usage: usage.rows }
}

/** How many events count for an organization. */
export async function countEvents(sql: Sql, organizationId: string): Promise<number> {
  const { rows } = await sql.query<{ count: number }>(
    `select count(*)::int as count from events e join customers c on c.customer_no = e.customer_no
     where c.organization_id = $1`,
    [organizationId],
  )
  return rows[0]!.count
}

/** Whether the usage of every committed upload has been counted, so that it is queued for billing. */
export async function isAllCounted(sql: Sql): Promise<boolean> {
  const { rows } = await sql.query<{ waiting: number }>(
    `select count(*)::int as waiting from uploads where state = 'committed' and not usage_counted`,
  )
  return rows[0]!.waiting === 0
}
