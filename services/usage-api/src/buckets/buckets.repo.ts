import { DomainError } from '@billtrail/domain'
import { sqlState, type Sql } from '@billtrail/platform'
import type { Group } from './buckets.schema'

/** Whose events are counted; without a customer those of the whole organization. */
export interface EventFilter {
  readonly organizationId: string
  readonly customerNo: number | undefined
  readonly eventType: string | undefined
}

const QUERY_CANCELED = '57014'

/** Conditions on `events e`, with $1 … $3 taken by `filterValues`. */
const FILTER = `
  ($2::int is null or e.customer_no = $2)
  and ($2::int is not null
       or e.customer_no in (select customer_no from customers where organization_id = $1))
  and ($3::text is null
       or e.event_type_no = (select event_type_no from event_types where organization_id = $1 and name = $3))`

const filterValues = (filter: EventFilter): unknown[] => [
  filter.organizationId,
  filter.customerNo ?? null,
  filter.eventType ?? null,
]

/** The zones that answers are in: the customer's for one customer, the organization's across customers. */
export async function findZone(
  sql: Sql,
  organizationId: string,
  customerNo: number | undefined,
): Promise<string> {
  const { rows } = await sql.query<{ timezone: string }>(
    `select coalesce(c.timezone, o.timezone) as timezone
     from organizations o left join customers c on c.organization_id = o.id and c.customer_no = $2
     where o.id = $1`,
    [organizationId, customerNo ?? null],
  )
  return rows[0]!.timezone
}

/** The first and the last event, in microseconds since 1970; undefined when there is none. */
export async function findEventRange(
  sql: Sql,
  filter: EventFilter,
): Promise<{ first: number; last: number } | undefined> {
  const { rows } = await inReasonableTime(() =>
    sql.query<{ first: string | null; last: string | null }>(
      `select (extract(epoch from min(e.event_date)) * 1000000)::bigint::text as first,
              (extract(epoch from max(e.event_date)) * 1000000)::bigint::text as last
       from events e where ${FILTER}`,
      filterValues(filter),
    ),
  )
  const { first, last } = rows[0]!
  return first === null || last === null ? undefined : { first: Number(first), last: Number(last) }
}

export interface CountedBucket {
  /** Position among the starts, from 0. */
  readonly position: number
  /** One value for each group, in their order. */
  readonly groups: readonly (string | null)[]
  readonly quantity: string
  readonly events: number
}

/**
 * Counts the events in [from, to) by the bucket they lie in, and by group. `starts` are when the buckets begin,
 * ascending, the first not after `from`. Ordered by groups' values within each bucket; at most `limit` rows.
 */
export async function countBuckets(
  sql: Sql,
  request: {
    filter: EventFilter
    from: string
    to: string
    starts: readonly Date[]
    groups: readonly Group[]
    limit: number
  },
): Promise<CountedBucket[]> {
  const { filter, from, to, starts, groups, limit } = request
  const values = [
    ...filterValues(filter),
    from,
    to,
    starts.map((start) => start.toISOString()),
    limit,
  ]
  const columns = groups.map((group) => {
    if ('property' in group) return `e.properties -> $${values.push(group.property)}::text`
    return group.field === 'customer_id' ? 'e.customer_no' : 'e.event_type_no'
  })
  const names = groups.map((group, at) => {
    if ('property' in group) return `g${at} collate "C"`
    return group.field === 'customer_id'
      ? `(select c.id from customers c where c.customer_no = g${at})`
      : `(select t.name from event_types t where t.event_type_no = g${at})`
  })
  const selected = columns.map((column, at) => `, ${column} as g${at}`).join('')
  // Names are looked up after counting, once for each row of the answer.
  const { rows } = await inReasonableTime(() =>
    sql.query<{ position: number; groups: (string | null)[]; quantity: string; events: string }>(
      `with counted as (
         select width_bucket(e.event_date, $6::timestamptz[]) - 1 as position,
                sum(e.quantity) as quantity, count(*) as events ${selected}
         from events e
         where ${FILTER} and e.event_date >= $4::timestamptz and e.event_date < $5::timestamptz
         group by 1 ${columns.map((_column, at) => `, ${at + 4}`).join('')}
       ), named as (
         select position, quantity, events, array[${names.join(', ')}]::text[] collate "C" as groups
         from counted
       )
       select position, groups, trim_scale(quantity)::text as quantity, events::text as events
       from named order by position, groups limit $7`,
      values,
    ),
  )
  return rows.map((row) => ({ ...row, events: Number(row.events) }))
}

/** A count over more events than a request can wait for is refused by the statement's time limit. */
async function inReasonableTime<T>(job: () => Promise<T>): Promise<T> {
  try {
    return await job()
  } catch (error) {
    if (sqlState(error) !== QUERY_CANCELED) throw error
    throw new DomainError(
      'invalid',
      'too_many_events',
      'These are more events than one request can count. Ask for a shorter range, or for one customer.',
      [{ field: 'start_date', message: 'choose a shorter range' }],
    )
  }
}
