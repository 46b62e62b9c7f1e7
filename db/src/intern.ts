import { sqlState, type Sql } from '@billtrail/platform'
import { withPatience } from './record-events'

/** An id met in usage, with the name that came beside it, if any. */
export interface MetCustomer {
  readonly id: string
  readonly name: string | null
}

export interface InternOptions {
  /**
   * New numbers need not be on disk when they are answered. The log is written in order, so they are there before the
   * events that use them; waiting would mean waiting for all that an upload beside it has just written. Only for who stores with a
   * connection that was open before: when the database crashes and takes numbers back, it breaks. Anyone else might store
   * under a number that has come to stand for somebody else.
   */
  readonly mayLag?: boolean
}

// Found may mean made by an upload a moment ago, which did not wait for the disk. A commit that writes something, however little,
// waits for all that was written to the log before it. In the same statement: between two there could be a crash.
const commit = ({ mayLag = false }: InternOptions): string =>
  mayLag
    ? `(select set_config('synchronous_commit', 'off', true)) u`
    : `(select pg_logical_emit_message(true, 'billtrail', '')) u`

// One statement finds the known and makes the new, in the index's own order, so that neighbours land on one page. The
// known are looked up one by one: a join would read the whole table for each batch. Without `on conflict` it takes
// half the time; with it, null says that somebody else made the row at this moment.
const CUSTOMERS = (options: InternOptions, onConflict: string) => `
  with met as materialized (
    select id, name, place,
           (select customer_no from customers c where c.organization_id = $1 and c.id = m.id) as known
    from unnest($2::text[], $3::text[]) with ordinality as m (id, name, place)
  ), made as (
    insert into customers (organization_id, id, name)
    select $1, id, name from met where known is null order by id collate "C"
    ${onConflict} returning id, customer_no
  )
  select coalesce(m.known, n.customer_no) as number
  from ${commit(options)}, met m left join made n on n.id = m.id order by m.place`

const NAME = `
  update customers c set name = met.name, updated_at = now()
  from unnest($2::text[], $3::text[]) as met (id, name)
  where c.organization_id = $1 and c.id = met.id and c.name is null`

const EVENT_TYPES = (onConflict: string) => `
  with met as materialized (
    select name, place,
           (select event_type_no from event_types t where t.organization_id = $1 and t.name = m.name) as known
    from unnest($2::text[]) with ordinality as m (name, place)
  ), made as (
    insert into event_types (organization_id, name)
    select $1, name from met where known is null
    ${onConflict} returning name, event_type_no
  )
  select coalesce(m.known, n.event_type_no) as number
  from met m left join made n on n.name = m.name order by m.place`

/**
 * The numbers that stand for customers, in the order given; ids met for the first time get one. A name fills in
 * where the customer has none. Runs by itself, not inside an upload's transaction: a number says nothing
 * yet, and two uploads that name the same new customer need not wait for each other. Ids are given once each.
 */
export async function internCustomers(
  sql: Sql,
  organizationId: string,
  customers: readonly MetCustomer[],
  options: InternOptions = {},
): Promise<number[]> {
  const ids = customers.map((customer) => customer.id)
  const named = customers.filter((customer) => customer.name !== null)
  const names = named.length > 0 ? customers.map((customer) => customer.name) : null
  const numbers = await numbersOf(sql, (onConflict) => CUSTOMERS(options, onConflict), [
    organizationId,
    ids,
    names,
  ])
  await nameCustomers(sql, organizationId, named)
  return numbers
}

/** Names customers that have no name yet. Customers are given once each. */
export async function nameCustomers(
  sql: Sql,
  organizationId: string,
  customers: readonly MetCustomer[],
): Promise<void> {
  if (customers.length === 0) return
  const ids = customers.map((customer) => customer.id)
  const names = customers.map((customer) => customer.name)
  await withPatience(() => sql.query(NAME, [organizationId, ids, names]))
}

/**
 * The numbers that stand for event types, in the order given; new ones get one. Names are given once each. They are on disk
 * before anybody sees them: a call that waited for the upload that made one would, after a crash, store its event under none.
 */
export async function internEventTypes(
  sql: Sql,
  organizationId: string,
  names: readonly string[],
): Promise<number[]> {
  return numbersOf(sql, EVENT_TYPES, [organizationId, names])
}

const UNIQUE_VIOLATION = '23505'
const ROUNDS_MAX = 5

async function numbersOf(
  sql: Sql,
  statement: (onConflict: string) => string,
  values: readonly unknown[],
): Promise<number[]> {
  let onConflict = ''
  for (let round = 0; round < ROUNDS_MAX; round++) {
    try {
      // Many new names take a while to make; whoever needs one of them then waits longer than one lock may.
      const { rows } = await withPatience(() =>
        sql.query<{ number: number | null }>(statement(onConflict), values),
      )
      if (rows.every((row) => row.number !== null)) return rows.map((row) => row.number!)
    } catch (error) {
      if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    }
    // Somebody else names the same new ones: pass over theirs, and find them in the round after.
    onConflict = 'on conflict do nothing'
  }
  throw new Error('A text that was just interned has no number.')
}

const REMEMBERED_MAX = 20_000

/** Keeps a number, which never changes, for the next request. Bounded: past the limit the one that was kept first goes. */
export function rememberNumber(numbers: Map<string, number>, key: string, number: number): void {
  if (numbers.size >= REMEMBERED_MAX) {
    const oldest = numbers.keys().next()
    if (oldest.done === false) numbers.delete(oldest.value)
  }
  numbers.set(key, number)
}
