import { DomainError } from '@billtrail/domain'
import { sqlState, type Sql } from '@billtrail/platform'

const LOCK_NOT_AVAILABLE = '55P03'

/**
 * Keeps everybody from counting usage until the transaction ends, and waits for those who are.
 *
 * A statement that counts usage reads the customer's time zone as it starts. One that had read the old zone and
 * were still running would count into a month of the old zone, unseen by `recountUsage`. Taken before any
 * lock on a customer, as uploads name customers outside the transaction that counts.
 */
export async function holdUsage(sql: Sql): Promise<void> {
  try {
    await sql.query('lock table counted_usage in share row exclusive mode')
  } catch (error) {
    if (sqlState(causeOf(error)) !== LOCK_NOT_AVAILABLE) throw error
    throw new DomainError(
      'busy',
      'usage_is_being_counted',
      'Usage is being counted just now, and a change of time zone has to wait for it. Nothing was changed; send the request again.',
      [],
      5,
    )
  }
}

/** Sequelize keeps the driver's error as the parent of its own. */
const causeOf = (error: unknown): unknown =>
  error instanceof Error && 'parent' in error ? error.parent : error

/**
 * Counts usage anew from the events, month by month in the customers' time zones as they are now, and queues the
 * months before and after for billing: of one customer, or of all that have no zone of their own when it is the
 * organization's that changes. Needs `holdUsage` in the same transaction.
 *
 * When each event arrived is not kept, so each month counts as changed when the customer's last event arrived.
 */
export async function recountUsage(
  sql: Sql,
  whose: { organizationId: string; customerNo?: number },
): Promise<void> {
  const { rows: moved } = await sql.query<{ customer_no: number }>(
    `select distinct customer_no from counted_usage where customer_no in (
       select customer_no from customers
       where organization_id = $1 and case when $2::int is null then timezone is null else customer_no = $2 end)`,
    [whose.organizationId, whose.customerNo ?? null],
  )
  const numbers = moved.map((row) => row.customer_no)
  await queueMonths(sql, numbers)
  const { rows: gone } = await sql.query<{ customer_no: number; received: string }>(
    `with gone as (delete from counted_usage where customer_no = any($1) returning customer_no, last_received_at)
     select customer_no,
            to_char(max(last_received_at) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as received
     from gone group by customer_no`,
    [numbers],
  )
  await sql.query(
    `insert into counted_usage (customer_no, period, event_type_no, own_price, quantity, amount, events, last_received_at)
     select e.customer_no, to_char(e.event_date at time zone coalesce(c.timezone, o.timezone), 'YYYY-MM'),
            e.event_type_no, e.unit_price is not null,
            sum(e.quantity), coalesce(sum(e.quantity * e.unit_price), 0), count(*), max(moved.received)
     from unnest($1::int[], $2::timestamptz[]) as moved (customer_no, received)
     join events e on e.customer_no = moved.customer_no
     join customers c on c.customer_no = e.customer_no
     join organizations o on o.id = c.organization_id
     -- those of uploads that wait to be counted will be, in the new zone
     where not exists (select from uploads u where u.upload_no = e.upload_no and not u.usage_counted)
     group by 1, 2, 3, 4 order by 1, 2, 3, 4`,
    [gone.map((row) => row.customer_no), gone.map((row) => row.received)],
  )
  await queueMonths(sql, numbers)
}

/** Queues all months of customers for billing: something has changed that their bills or files show. */
export async function queueMonths(sql: Sql, customerNos: readonly number[]): Promise<void> {
  await sql.query(
    `insert into usage_changes (customer_no, period)
     select distinct customer_no, period from usage where customer_no = any($1)`,
    [customerNos],
  )
}
