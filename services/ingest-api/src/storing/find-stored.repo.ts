import type { PoolClient } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { STORED_COLUMNS } from '../reading'
import { copyRows, KEYS_INTO } from './store.repo'

// Group by group, from the index: it is walked once for all of a group, not for each row anew. A table does not keep the order in
// which rows of many sizes were copied into it.
const storedIn = (table: string) => `
  copy (
    select ${STORED_COLUMNS.map((column) => `e.${column}`).join(', ')}
    from incoming_keys k
    cross join lateral (
      select e.* from ${table} e
      where e.customer_no = any (k.customer_nos) and e.event_key = any (k.event_keys)
      order by e.customer_no, e.event_key
    ) e
    order by k.place, e.customer_no, e.event_key
  ) to stdout (format binary)`

/**
 * Reads what is stored in `table`, events or one of its segments, under keys (`encodeKeys`), as binary COPY rows of
 * `STORED_COLUMNS`; `take` gets their bytes as they come, and must not throw: the rest would stay in the connection. Inside a
 * transaction.
 */
export async function findStored(
  client: PoolClient,
  table: string,
  keys: Iterable<Buffer>,
  take: (bytes: Buffer) => void,
): Promise<void> {
  await copyRows(client, KEYS_INTO, keys)
  // The arrays' length is unknown to the planner.
  await client.query('set local enable_seqscan = off; set local enable_bitmapscan = off')
  const stored = client.query(copyTo(storedIn(table)))
  for await (const bytes of stored) take(bytes as Buffer)
  await client.query(
    'set local enable_seqscan = on; set local enable_bitmapscan = on; truncate incoming_keys',
  )
}
