import { countUsage, sumByMonth } from '@billtrail/db'
import type { Sql } from '@billtrail/platform'
import type { PoolClient } from 'pg'

/** Takes the usage of `gone` (rows of events) off again. */
export const UNCOUNT = `
  uncounted as (
    select customer_no, to_char(month, 'YYYY-MM') as period, event_type_no, own_price, quantity, amount, events
    from (${sumByMonth('gone')}) summed
  ), lowered as (
    update counted_usage u
      set quantity = u.quantity - d.quantity, amount = u.amount - d.amount, events = u.events - d.events
    from uncounted d
    where u.customer_no = d.customer_no and u.period = d.period
      and u.event_type_no = d.event_type_no and u.own_price = d.own_price
    returning u.customer_no, u.period
  ), changed as (
    insert into usage_changes (customer_no, period) select distinct customer_no, period from lowered
  )`

/** Usage that nothing counts in any more. */
export const DROP_EMPTY_USAGE = `
  delete from counted_usage u using usage_changes d
  where u.customer_no = d.customer_no and u.period = d.period and u.events = 0`

const LOCK = 'select from uploads where upload_no = $1 and not usage_counted for no key update'

// The flag and the counts change together.
const COUNT = `
  with stored as (
    select customer_no, event_type_no, event_date, quantity, unit_price from events where upload_no = $1
  ), ${countUsage}, flagged as (
    update uploads set usage_counted = true where upload_no = $1
  )
  select count(*) from counted`

/**
 * Has the planner sum an upload's events by hashing. It knows nothing yet of rows that came a moment ago, takes
 * them for few, and would look up each one's customer and sort them all: twice the time.
 */
export async function expectManyRows(client: PoolClient): Promise<void> {
  await client.query(`set local enable_nestloop = off; set local enable_sort = off`)
}

/** Back to what the planner thinks best. */
export async function expectFewRows(client: PoolClient): Promise<void> {
  await client.query(`set local enable_nestloop = on; set local enable_sort = on`)
}

/**
 * Adds the usage of an upload's events to counted_usage and queues their months for billing, once however often it is
 * called: whoever else is at it is waited for. Until then the view `usage` reads them from the events themselves.
 */
export async function countUploadUsage(client: PoolClient, uploadNo: number): Promise<void> {
  // A statement of its own: what it has waited for is then seen by the one that counts.
  const { rowCount } = await client.query(LOCK, [uploadNo])
  if (rowCount === 0) return
  await expectManyRows(client)
  await client.query(COUNT, [uploadNo])
  await expectFewRows(client)
}

// Nobody who counts one of them is left waiting for usage that the caller is about to count, while the caller waits for it.
const LOCK_PENDING = `
  select from uploads where organization_id = $1 and state = 'committed' and not usage_counted
  order by upload_no for no key update`

/** Committed uploads whose usage waits to be counted, oldest first. */
export async function listUploadsToCount(sql: Sql, organizationId?: string): Promise<number[]> {
  const { rows } = await sql.query<{ upload_no: number }>(
    `select upload_no from uploads
     where state = 'committed' and not usage_counted and ($1::uuid is null or organization_id = $1)
     order by upload_no`,
    [organizationId ?? null],
  )
  return rows.map((row) => row.upload_no)
}

/**
 * Counts everything of an organization that waits, so that the caller can take usage off again. The caller holds
 * the storing lock: nothing new is committed meanwhile.
 */
export async function countPendingUsage(client: PoolClient, organizationId: string): Promise<void> {
  await client.query(LOCK_PENDING, [organizationId])
  for (const uploadNo of await listUploadsToCount(client, organizationId)) {
    await countUploadUsage(client, uploadNo)
  }
}

// Whoever bills may have read it while it was pending: the customers' bills are looked at again.
const GIVE_UP = `
  with upload as (
    update uploads set usage_counted = true where upload_no = $1 and not usage_counted returning upload_no
  ), changed as (
    insert into usage_changes (customer_no, period)
    select b.customer_no, b.period from bills b
    where b.customer_no in (select e.customer_no from upload u join events e on e.upload_no = u.upload_no)
  )
  select from upload`

/**
 * For an upload that is about to be withdrawn: true when its usage has been counted and must be taken off, false when
 * it never was and now never will be.
 */
export async function isUsageCounted(client: PoolClient, uploadNo: number): Promise<boolean> {
  const { rowCount } = await client.query(GIVE_UP, [uploadNo])
  return rowCount === 0
}
