import type { Sql } from '@billtrail/platform'
import type { RunChecks } from '../checks/run-checks'

export type RunState = 'queued' | 'running' | 'completed' | 'failed'

export interface BillingRun {
  readonly id: string
  readonly trigger: 'cycle' | 'request'
  readonly period: string | null
  readonly finalize: boolean
  readonly state: RunState
  readonly customersTotal: number
  readonly customersBilled: number
  readonly invoicesFinalized: number
  readonly checks: RunChecks | null
  readonly failure: { readonly code: string; readonly message: string } | null
  readonly requestedAt: string
  readonly startedAt: string | null
  readonly completedAt: string | null
}

const at = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`

const COLUMNS = `
  id, trigger, period, finalize, state, customers_total, customers_billed, invoices_finalized, checks,
  failure_code, failure_message, ${at('requested_at')} as requested_at, ${at('started_at')} as started_at,
  ${at('completed_at')} as completed_at`

interface Row {
  id: string
  trigger: 'cycle' | 'request'
  period: string | null
  finalize: boolean
  state: RunState
  customers_total: number
  customers_billed: number
  invoices_finalized: number
  checks: RunChecks | null
  failure_code: string | null
  failure_message: string | null
  requested_at: string
  started_at: string | null
  completed_at: string | null
}

const toRun = (row: Row): BillingRun => ({
  id: row.id,
  trigger: row.trigger,
  period: row.period,
  finalize: row.finalize,
  state: row.state,
  customersTotal: row.customers_total,
  customersBilled: row.customers_billed,
  invoicesFinalized: row.invoices_finalized,
  checks: row.checks,
  failure:
    row.failure_code === null
      ? null
      : { code: row.failure_code, message: row.failure_message ?? '' },
  requestedAt: row.requested_at,
  startedAt: row.started_at,
  completedAt: row.completed_at,
})

/** Queues a run; while one for the same period and purpose waits or runs, returns that. */
export async function requestRun(
  sql: Sql,
  request: { organizationId: string; period: string; finalize: boolean },
): Promise<BillingRun> {
  for (;;) {
    const { rows } = await sql.query<Row & Record<string, unknown>>(
      `with made as (
         insert into billing_runs (organization_id, trigger, period, finalize, state)
         values ($1, 'request', $2, $3, 'queued')
         on conflict (organization_id, period, finalize)
           where trigger = 'request' and state in ('queued', 'running') do nothing
         returning *
       )
       select ${COLUMNS} from made
       union all
       select ${COLUMNS} from billing_runs
       where organization_id = $1 and trigger = 'request' and period = $2 and finalize = $3
         and state in ('queued', 'running')
       limit 1`,
      [request.organizationId, request.period, request.finalize],
    )
    // None: the other one was committed, or ended, in between; the next look decides.
    if (rows[0]) return toRun(rows[0])
  }
}

/** Runs that a dead worker left in the middle, then those that wait, the oldest first. Only under the billing lock. */
export async function findOpenRuns(sql: Sql, organizationId: string): Promise<BillingRun[]> {
  const { rows } = await sql.query<Row & Record<string, unknown>>(
    `select ${COLUMNS} from billing_runs
     where organization_id = $1 and state in ('queued', 'running')
     order by state = 'queued', billing_runs.requested_at, id for update skip locked`,
    [organizationId],
  )
  return rows.map(toRun)
}

export async function insertCycleRun(sql: Sql, organizationId: string): Promise<string> {
  const { rows } = await sql.query<{ id: string }>(
    `insert into billing_runs (organization_id, trigger, state, started_at)
     values ($1, 'cycle', 'running', now()) returning id`,
    [organizationId],
  )
  return rows[0]!.id
}

export async function startRun(
  sql: Sql,
  run: { id: string; customersToBill: number },
): Promise<void> {
  await sql.query(
    `update billing_runs
     set state = 'running', started_at = coalesce(started_at, now()), customers_total = customers_billed + $2
     where id = $1`,
    [run.id, run.customersToBill],
  )
}

/** Adds what one transaction did to what the run shows. */
export async function recordProgress(
  sql: Sql,
  run: { id: string; billed: number; finalized: number; checks: RunChecks },
): Promise<void> {
  await sql.query(
    `update billing_runs
     set customers_billed = customers_billed + $2, invoices_finalized = invoices_finalized + $3, checks = $4,
         customers_total = greatest(customers_total, customers_billed + $2)
     where id = $1`,
    [run.id, run.billed, run.finalized, JSON.stringify(run.checks)],
  )
}

export async function completeRun(sql: Sql, run: { id: string; checks: RunChecks }): Promise<void> {
  await sql.query(
    `update billing_runs set state = 'completed', completed_at = now(), checks = $2 where id = $1`,
    [run.id, JSON.stringify(run.checks)],
  )
}

export async function failRun(
  sql: Sql,
  run: { id: string; code: string; message: string },
): Promise<void> {
  await sql.query(
    `update billing_runs
     set state = 'failed', completed_at = now(), failure_code = $2, failure_message = $3 where id = $1`,
    [run.id, run.code, run.message],
  )
}

export async function findRun(
  sql: Sql,
  key: { organizationId: string; id: string },
): Promise<BillingRun | undefined> {
  const { rows } = await sql.query<Row & Record<string, unknown>>(
    `select ${COLUMNS} from billing_runs where organization_id = $1 and id = $2`,
    [key.organizationId, key.id],
  )
  return rows[0] && toRun(rows[0])
}

export async function listRuns(
  sql: Sql,
  page: {
    organizationId: string
    period: string | undefined
    limit: number
    after: readonly [requestedAt: string, id: string] | undefined
  },
): Promise<BillingRun[]> {
  const { rows } = await sql.query<Row & Record<string, unknown>>(
    `select ${COLUMNS} from billing_runs
     where organization_id = $1 and ($2::text is null or period = $2)
       and ($3::timestamptz is null or (billing_runs.requested_at, id) < ($3, $4::uuid))
     order by billing_runs.requested_at desc, id desc limit $5`,
    [page.organizationId, page.period, page.after?.[0], page.after?.[1], page.limit],
  )
  return rows.map(toRun)
}

/** Whether the month is over for the organization and for every customer who has a draft of it. */
export async function isPeriodOver(
  sql: Sql,
  scope: { organizationId: string; period: string; endsAt: Date },
): Promise<boolean> {
  const { rows } = await sql.query<{ over: boolean }>(
    `select now() >= $3::timestamptz and not exists (
       select from invoices
       where organization_id = $1 and period = $2 and status = 'draft' and period_end > now()) as over`,
    [scope.organizationId, scope.period, scope.endsAt.toISOString()],
  )
  return rows[0]?.over === true
}
