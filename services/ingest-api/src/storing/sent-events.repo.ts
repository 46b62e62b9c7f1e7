import {
  countUsage,
  holdOffWithdrawals,
  NO_UPLOAD,
  ownContent,
  sameContent,
  withPatience,
} from '@billtrail/db'
import { inTransaction } from '@billtrail/platform'
import type { Pool } from 'pg'
import { copyRows, EVENT_COPY_COLUMNS, makeIncoming } from './store.repo'

export type SentOutcome = 'duplicate' | 'conflict'

const STORE = `
  with stored as (
    insert into events (${EVENT_COPY_COLUMNS})
    select distinct on (customer_no, event_key) ${EVENT_COPY_COLUMNS} from incoming
    order by customer_no, event_key, line
    on conflict (customer_no, event_key) do nothing
    returning customer_no, event_type_no, event_date, line, quantity, unit_price
  ), ${countUsage}
  select line from stored`

// What a file brought may be withdrawn with the file; what was also sent over the API then stays, so it is
// noted as a claim: once, however often it is sent.
const COMPARE = `
  with met as (
    select i.*, e.upload_no as owner,
           case when ${sameContent('i', 'e')} then 'duplicate' else 'conflict' end as outcome
    from incoming i join events e on e.customer_no = i.customer_no and e.event_key = i.event_key
    where i.line <> all($1::int[])
  ), claimed as (
    insert into event_claims (${EVENT_COPY_COLUMNS}, outcome)
    select distinct on (customer_no, event_key, outcome)
           customer_no, event_key, ${ownContent('event_date')}, ${ownContent('event_type_no')},
           upload_no, line, ${ownContent('quantity')}, ${ownContent('unit_price')},
           ${ownContent('event_id')}, ${ownContent('properties')}, outcome
    from met
    where (owner <> ${NO_UPLOAD} or outcome = 'conflict') and not exists (
      select from event_claims c
      where c.customer_no = met.customer_no and c.event_key = met.event_key
        and c.upload_no = ${NO_UPLOAD} and c.outcome = met.outcome
        and (met.outcome = 'duplicate' or ${sameContent('c', 'met')}))
    order by customer_no, event_key, outcome, line
  )
  select line, outcome from met`

/**
 * Stores the events of one request in one transaction, with their usage, and answers for those that were there
 * already: their line and what they are. Gives way to an upload that holds the same keys, and tries
 * again; refuses with `held_by_upload` after 20 s.
 */
export async function storeSentEvents(
  pool: Pool,
  rows: () => Iterable<Buffer>,
  count: number,
): Promise<Map<number, SentOutcome>> {
  return withPatience(() =>
    inTransaction(pool, async (client) => {
      await holdOffWithdrawals(client)
      await makeIncoming(client)
      await copyRows(client, 'incoming', rows())
      const stored = await client.query<{ line: number }>(STORE)
      if (stored.rows.length === count) return new Map<number, SentOutcome>()
      const met = await client.query<{ line: number; outcome: SentOutcome }>(COMPARE, [
        stored.rows.map((row) => row.line),
      ])
      return new Map(met.rows.map((row) => [row.line, row.outcome]))
    }),
  )
}
