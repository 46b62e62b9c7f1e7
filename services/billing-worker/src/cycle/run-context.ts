import type { Logger, Sql } from '@billtrail/platform'
import {
  completeRun,
  insertCycleRun,
  recordProgress,
  startRun,
  type BillingRun,
} from '../billing-runs/billing-runs.repo'
import type { PeriodCheck } from '../checks/check-months.repo'
import { mergeChecks, NO_CHECKS, type FileCheck, type RunChecks } from '../checks/run-checks'
import type { QueueScope } from './queue.repo'

/**
 * The billing run that work is done for. A cycle has none until it does something: what finds nothing new leaves no
 * row behind.
 */
export interface RunContext extends QueueScope {
  /** Months need not wait for their grace. */
  readonly finalize: boolean
  id(): string | undefined
  /** The run's id, made in this transaction where there is none yet. */
  need(sql: Sql): Promise<string>
  checks(): RunChecks
  progress(sql: Sql, step: ProgressStep): Promise<void>
  complete(sql: Sql, files: readonly FileCheck[]): Promise<void>
}

export interface ProgressStep {
  readonly billed: number
  readonly finalized: number
  readonly periods: readonly PeriodCheck[]
  /** The checks are of the whole period, and take the place of those of its parts. */
  readonly whole?: boolean
}

/** `run`: one that was requested, or that a dead worker left behind. */
export function createRunContext(organizationId: string, run: BillingRun | undefined): RunContext {
  let id = run?.id
  let checks: RunChecks = run?.checks ?? NO_CHECKS
  const need = async (sql: Sql): Promise<string> =>
    (id ??= await insertCycleRun(sql, organizationId))
  return {
    organizationId,
    period: run?.period ?? null,
    finalize: run?.finalize ?? false,
    id: () => id,
    need,
    checks: () => checks,
    async progress(sql, step) {
      checks = mergeChecks(step.whole === true ? { ...checks, periods: [] } : checks, step)
      const { billed, finalized } = step
      await recordProgress(sql, { id: await need(sql), billed, finalized, checks })
    },
    async complete(sql, files) {
      if (id === undefined) return
      checks = mergeChecks(checks, { files })
      await completeRun(sql, { id, checks })
    },
  }
}

/** A run that begins, or begins again. */
export async function beginRun(
  sql: Sql,
  context: RunContext,
  customersToBill: number,
): Promise<void> {
  const id = context.id()
  if (id !== undefined) await startRun(sql, { id, customersToBill })
}

/** The first law is broken somewhere: an alarm, not a footnote. */
export function reportImbalance(logger: Logger, runId: string, checks: RunChecks): void {
  if (checks.balanced) return
  logger.error(
    {
      billing_run_id: runId,
      periods: checks.periods.filter((check) => !check.balanced),
      files: checks.files.filter((check) => !check.balanced).map((check) => check.key),
    },
    'the ledger does not balance: events, usage, bills or files disagree',
  )
}
