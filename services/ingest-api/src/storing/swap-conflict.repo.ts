import { countUsage } from '@billtrail/db'
import type { PoolClient } from 'pg'
import { countPendingUsage, DROP_EMPTY_USAGE, UNCOUNT } from './count-usage.repo'
import { CONTENT, judge } from './judge-claims.repo'
import { EVENT_COPY_COLUMNS } from './store.repo'

/** A conflicting row of an upload, whose value may be taken instead of the stored one. */
export interface ConflictClaim {
  readonly customer_no: number
  readonly event_key: string
}

export async function findConflict(
  client: PoolClient,
  uploadNo: number,
  line: number,
): Promise<ConflictClaim | undefined> {
  const { rows } = await client.query<ConflictClaim>(
    `select customer_no, event_key from event_claims
     where upload_no = $1 and line = $2 and outcome = 'conflict'`,
    [uploadNo, line],
  )
  return rows[0]
}

/** Whether this line is the one that counts already: what a repeated call finds. */
export async function isStoredLine(
  client: PoolClient,
  uploadNo: number,
  line: number,
): Promise<boolean> {
  const { rows } = await client.query<{ stored: boolean }>(
    'select exists (select from events where upload_no = $1 and line = $2) as stored',
    [uploadNo, line],
  )
  return rows[0]!.stored
}

const LOWER_ONE = `
  with gone as (
    select customer_no, event_type_no, event_date, quantity, unit_price
    from events where customer_no = $1 and event_key = $2
  ), ${UNCOUNT}
  select count(*) from lowered`

// The two rows change places: the stored one becomes a claim of its upload, the claim is stored. The claim of the one
// that was stored is the first of its key: it counts again if the upload it gave way to is withdrawn.
const SWAP = `
  with taken as (
    delete from event_claims
    where customer_no = $1 and event_key = $2 and upload_no = $3 and line = $4
    returning *
  ), given as (
    insert into event_claims (${EVENT_COPY_COLUMNS}, outcome, claimed_at)
    select ${EVENT_COPY_COLUMNS}, 'conflict', (
      select min(claimed_at) - interval '1 microsecond' from claims where customer_no = $1 and event_key = $2)
    from events where customer_no = $1 and event_key = $2
    returning upload_no
  ), stored as (
    update events e set upload_no = t.upload_no, line = t.line,
      ${CONTENT.map((column) => `${column} = t.${column}`).join(', ')}
    from taken t where e.customer_no = t.customer_no and e.event_key = t.event_key
    returning e.customer_no, e.event_type_no, e.event_date, e.quantity, e.unit_price
  ), ${countUsage}, lost as (
    update uploads set accepted = accepted - 1, conflicts = conflicts + 1
    where upload_no = (select upload_no from given) and upload_no <> $3
  )
  update uploads set accepted = accepted + 1, conflicts = conflicts - 1
  where upload_no = $3 and (select upload_no from given) <> $3`

// `replaced` is the claim that the stored event has just become: the first one.
const SWAPPED = `
  select e.*, ${CONTENT.map((column) => `replaced.${column} as old_${column}`).join(', ')}
  from events e join event_claims replaced
    on replaced.customer_no = e.customer_no and replaced.event_key = e.event_key
  where e.customer_no = $1 and e.event_key = $2 and replaced.outcome = 'conflict'
  order by replaced.claimed_at limit 1`

/**
 * Takes the value of a conflicting row instead of the stored one, which becomes a conflict in its turn. The caller
 * has taken the storing lock and writes the audit row.
 */
export async function swapConflict(
  client: PoolClient,
  conflict: ConflictClaim & { organizationId: string; uploadNo: number; line: number },
): Promise<void> {
  await countPendingUsage(client, conflict.organizationId)
  const key = [conflict.customer_no, conflict.event_key]
  await client.query(LOWER_ONE, key)
  await client.query(SWAP, [...key, conflict.uploadNo, conflict.line])
  await client.query(DROP_EMPTY_USAGE)
  await judge(client, SWAPPED, key)
}
