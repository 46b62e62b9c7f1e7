import { internCustomers, nameCustomers, withPatience } from '@billtrail/db'
import { inTransaction, sqlState } from '@billtrail/platform'
import type { Pool } from 'pg'
import { CUSTOMER_COLUMNS, encodeCustomers, encodeIds, type NameTable } from '../reading'
import { copyRows, UNIQUE_VIOLATION } from './store.repo'

/** Below this many, looking each one up costs too little to be saved. */
const MANY = 1_024
const SAMPLE = 256

const CUSTOMERS_INTO = { table: 'customers', columns: CUSTOMER_COLUMNS }

/**
 * Sets the numbers of the customers `[from, to)`, none of which has one; those met for the first time are made. Not in the
 * upload's transaction, and without waiting for the disk: see `mayLag` of `internCustomers`.
 */
export async function numberCustomers(
  pool: Pool,
  organizationId: string,
  customers: NameTable,
  { from, to }: { from: number; to: number },
): Promise<void> {
  // Sorted, so that neighbours are looked for, and land, on one page of an index.
  let order = customers.sorted(from, to)
  if (order.length >= MANY) {
    if (await makeIfAllNew(pool, organizationId, customers, order)) return
    order = await numberKnown(pool, organizationId, customers, order)
    if (order.length >= MANY && (await makeIfAllNew(pool, organizationId, customers, order))) return
  }
  const met = Array.from(order, (index) => ({
    index,
    id: customers.text(index),
    name: customers.description(index),
  }))
  const numbers = await internCustomers(pool, organizationId, met, { mayLag: true })
  met.forEach(({ index }, at) => customers.setNumber(index, numbers[at]!))
}

// A number for each of so many customers; none where one of the sample is known.
const RESERVE = `
  select min(number)::int as first, max(number)::int as last
  from (
    select nextval('customers_customer_no_seq') as number
    from generate_series(1, case when exists (
      select from customers where organization_id = $1 and id = any($2)) then 0 else $3::int end)
  ) as reserved`

/**
 * Copies many customers at once, taking them all to be new when none of a sample is known: nothing is looked up or joined.
 * False when that was wrong: then nothing was made.
 */
async function makeIfAllNew(
  pool: Pool,
  organizationId: string,
  customers: NameTable,
  order: Uint32Array,
): Promise<boolean> {
  const step = Math.floor(order.length / SAMPLE)
  const sample = Array.from({ length: SAMPLE }, (_id, at) => customers.text(order[at * step]!))
  const { rows } = await pool.query<{ first: number | null; last: number | null }>(RESERVE, [
    organizationId,
    sample,
    order.length,
  ])
  const { first, last } = rows[0]!
  // One is known, or somebody else has taken numbers in between.
  if (first === null || last! - first + 1 !== order.length) return false
  try {
    await withPatience(() =>
      inTransaction(pool, async (client) => {
        await client.query('set local synchronous_commit = off')
        const rows = encodeCustomers(customers, order, { organizationId, firstNumber: first })
        await copyRows(client, CUSTOMERS_INTO, rows)
      }),
    )
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    return false
  }
  order.forEach((index, at) => customers.setNumber(index, first + at))
  return true
}

// 0 where there is none. Numbers and ids in binary: as texts they cost the database and node as much again as looking them up.
const FIND = `
  select string_agg(int4send(coalesce((
           select customer_no from customers c where c.organization_id = $1 and c.id = met.id), 0)), '' order by place) as numbers
  from unnest($2::text[]) with ordinality as met (id, place)`

/** Sets the numbers of those of many customers that are known, names them where they had no name, and answers the others. */
async function numberKnown(
  pool: Pool,
  organizationId: string,
  customers: NameTable,
  order: Uint32Array,
): Promise<Uint32Array> {
  const { rows } = await pool.query<{ numbers: Buffer }>(FIND, [
    organizationId,
    encodeIds(customers, order),
  ])
  const { numbers } = rows[0]!
  const numberAt = (place: number): number => numbers.readInt32BE(4 * place)
  const named = Array.from(
    order.filter((index, place) => numberAt(place) > 0 && customers.description(index) !== null),
    (index) => ({ id: customers.text(index), name: customers.description(index) }),
  )
  order.forEach((index, place) => {
    if (numberAt(place) > 0) customers.setNumber(index, numberAt(place))
  })
  await nameCustomers(pool, organizationId, named)
  return order.filter((_index, place) => numberAt(place) === 0)
}
