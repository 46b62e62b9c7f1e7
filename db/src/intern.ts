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

const commit = ({ mayLag = false }: InternOptions): string =>
  mayLag ? `(select set_config('synchronous_commit', 'off', true)) u` : '(select) u'

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

const RESERVE = `
  select min(number)::int as first, max(number)::int as last
  from (select nextval('customers_customer_no_seq') as number from generate_series(1, $1::int)) as reserved`

/** Stands between ids that are sent as one text: that is read twice as fast as an array of them. No id holds it. */
const SEPARATOR = '\u001f'

// Nothing is looked up, returned or joined: well under half of what finding and making takes.
const MAKE = (options: InternOptions) => `
  insert into customers (customer_no, organization_id, id, name) overriding system value
  select $2 + place - 1, $1, id, name
  from ${commit(options)},
       unnest(string_to_array($3, '${SEPARATOR}'), $4::text[]) with ordinality as made (id, name, place)`

const NAME = `
  update customers c set name = met.name, updated_at = now()
  from unnest($2::text[], $3::text[]) as met (id, name)
  where c.organization_id = $1 and c.id = met.id and c.name is null`

const EVENT_TYPES = (options: InternOptions, onConflict: string) => `
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
  from ${commit(options)}, met m left join made n on n.name = m.name order by m.place`

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
  const made = await makeIfAllNew(sql, organizationId, customers, options)
  if (made !== undefined) return made
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

/** Below this many, looking each one up costs too little to be saved. */
const MANY = 1_024
const SAMPLE = 256

/**
 * Makes many customers at once, taking them all to be new when none of a sample is known. Undefined when that was wrong:
 * then nothing was made.
 */
async function makeIfAllNew(
  sql: Sql,
  organizationId: string,
  customers: readonly MetCustomer[],
  options: InternOptions,
): Promise<number[] | undefined> {
  if (customers.length < MANY) return undefined
  const step = Math.floor(customers.length / SAMPLE)
  const sample = customers.filter((_customer, at) => at % step === 0).map(({ id }) => id)
  const { rowCount: known } = await sql.query(
    'select from customers where organization_id = $1 and id = any($2) limit 1',
    [organizationId, sample],
  )
  if (known !== 0) return undefined
  const { rows } = await sql.query<{ first: number; last: number }>(RESERVE, [customers.length])
  const { first, last } = rows[0]!
  // Somebody else has taken numbers in between.
  if (last - first + 1 !== customers.length) return undefined
  // Sorted, so that neighbours land on one page of either index.
  const sorted = customers.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  const ids = sorted.map(({ id }) => id)
  if (ids.some((id) => id.includes(SEPARATOR))) return undefined
  const names = sorted.some(({ name }) => name !== null) ? sorted.map(({ name }) => name) : null
  try {
    const values = [organizationId, first, ids.join(SEPARATOR), names]
    await withPatience(() => sql.query(MAKE(options), values))
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    return undefined
  }
  const numberOf = new Map(ids.map((id, at) => [id, first + at]))
  return customers.map(({ id }) => numberOf.get(id)!)
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

/** The numbers that stand for event types, in the order given; new ones get one. Names are given once each. */
export async function internEventTypes(
  sql: Sql,
  organizationId: string,
  names: readonly string[],
  options: InternOptions = {},
): Promise<number[]> {
  return numbersOf(sql, (onConflict) => EVENT_TYPES(options, onConflict), [organizationId, names])
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
  const oldest = numbers.keys().next()
  if (numbers.size >= REMEMBERED_MAX && oldest.done === false) numbers.delete(oldest.value)
  numbers.set(key, number)
}
