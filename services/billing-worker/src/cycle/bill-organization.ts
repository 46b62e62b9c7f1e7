import {
  billMonths,
  finalizeInvoices,
  type Month,
  queueCarriedMonths,
  queueSubscribedMonths,
} from '@billtrail/db'
import { DomainError } from '@billtrail/domain'
import { isDatabaseUnavailable, type FileStore, type Logger } from '@billtrail/platform'
import { failRun, findOpenRuns, type BillingRun } from '../billing-runs/billing-runs.repo'
import { writeBillableFiles, type WrittenFiles } from '../billable-files/write-billable-files'
import { checkMonths, findMonthsOf } from '../checks/check-months.repo'
import type { BillingMetrics } from '../billing-metrics'
import { findDueInvoices, hasOpenDrafts } from './due-invoices.repo'
import type { LockedConnection } from './organization-lock'
import { findOrganization } from './organizations.repo'
import { BATCH_MONTHS, countMonths, nextMonths, removeMonths, takeChanges } from './queue.repo'
import { beginRun, createRunContext, reportImbalance, type RunContext } from './run-context'

export interface BillDeps {
  readonly connection: LockedConnection
  readonly files: FileStore
  readonly logger: Logger
  readonly metrics: BillingMetrics
  readonly graceHours: number
  readonly moving: () => void
  /** The process is asked to end: finish the step, leave the rest for the next worker. */
  readonly stopping: () => boolean
  /** What names and settings looked like when the organization's files were last in order, by organization. */
  readonly namesSeen: Map<string, string>
}

/** One cycle of one organization: the runs that were asked for, then whatever changed. Needs the billing lock. */
export async function billOrganization(deps: BillDeps, organizationId: string): Promise<void> {
  const open = await deps.connection.transaction((sql) => findOpenRuns(sql, organizationId))
  const cycle = open.find((run) => run.trigger === 'cycle')
  for (const run of open.filter((one) => one.trigger === 'request')) {
    await perform(deps, organizationId, run)
  }
  await perform(deps, organizationId, cycle)
}

/** Every step can be repeated, so a run that a dead worker left in the middle is simply performed again. */
async function perform(
  deps: BillDeps,
  organizationId: string,
  run: BillingRun | undefined,
): Promise<void> {
  if (deps.stopping()) return
  const { connection } = deps
  const context = createRunContext(organizationId, run)
  try {
    const pending = run?.trigger === 'request'
    await queueSubscribedMonths(connection, organizationId)
    await takeChanges(connection, { ...context, pending })
    await queueCarriedMonths(connection, organizationId)
    await beginRun(connection, context, run ? await countMonths(connection, context) : 0)
    await billAndFinalize(deps, context)
    if (run?.trigger === 'request') await checkWholePeriod(deps, context)
  } catch (error) {
    if (run?.trigger === 'request' && !isDatabaseUnavailable(error)) {
      await failRun(connection, { id: run.id, ...failureOf(error) })
    }
    throw error
  }
  if (deps.stopping()) return
  const files = await bringFiles(deps, context)
  await context.complete(connection, files.checks)
  deps.metrics.files(files)
  const id = context.id()
  if (id === undefined) return
  deps.metrics.balance(context.checks())
  reportImbalance(deps.logger, id, context.checks())
}

/** What the one who asked for the run may know of it. */
function failureOf(error: unknown): { code: string; message: string } {
  return error instanceof DomainError
    ? { code: error.code, message: error.message }
    : { code: 'internal', message: 'The run failed; the log of the billing worker says why.' }
}

/** Usage may arrive between billing a month and finalizing it: so often a requested run looks again. */
const LOOKS_MAX = 5

async function billAndFinalize(deps: BillDeps, context: RunContext): Promise<void> {
  for (let look = 1; ; look += 1) {
    await billQueue(deps, context)
    await finalizeDue(deps, context)
    if (!context.finalize || look === LOOKS_MAX || deps.stopping()) return
    if (!(await hasOpenDrafts(deps.connection, context))) return
    await takeChanges(deps.connection, { ...context, pending: true })
  }
}

/** Bills what the queue holds. A month leaves the queue in the transaction that bills it. */
async function billQueue(deps: BillDeps, context: RunContext): Promise<void> {
  let after: Month | undefined
  while (!deps.stopping()) {
    const months = await nextMonths(deps.connection, context, after)
    if (months.length === 0) return
    await deps.connection.transaction(async (sql) => {
      const billingRunId = await context.need(sql)
      const { organizationId } = context
      const done = await billMonths(sql, { organizationId, billingRunId, months })
      await removeMonths(sql, months)
      const periods = await checkMonths(sql, months)
      await context.progress(sql, { billed: done.billed + done.removed, finalized: 0, periods })
    })
    deps.metrics.billed(months.length)
    deps.moving()
    after = months.at(-1)
  }
}

/** Finalizes months that are over, so many in a transaction. */
async function finalizeDue(deps: BillDeps, context: RunContext): Promise<void> {
  const { organizationId, period } = context
  const graceHours = context.finalize ? null : deps.graceHours
  while (!deps.stopping()) {
    const finalized = await deps.connection.transaction(async (sql) => {
      const invoices = await findDueInvoices(sql, {
        organizationId,
        period,
        graceHours,
        limit: BATCH_MONTHS,
      })
      if (invoices.length === 0) return 0
      const request = { organizationId, invoices, actor: 'billing-worker', onlySettled: true }
      const done = await finalizeInvoices(sql, request)
      if (done.length > 0) {
        await context.progress(sql, { billed: 0, finalized: done.length, periods: [] })
      }
      return done.length
    })
    if (finalized === 0) return
    deps.metrics.finalized(finalized)
    deps.moving()
  }
}

/** Who asks for a period gets the checks of all of it, not only of what changed. */
async function checkWholePeriod(deps: BillDeps, context: RunContext): Promise<void> {
  const { organizationId, period } = context
  if (period === null) return
  const months = await findMonthsOf(deps.connection, { organizationId, period })
  await deps.connection.transaction(async (sql) => {
    const periods = await checkMonths(sql, months)
    await context.progress(sql, { billed: 0, finalized: 0, periods, whole: true })
  })
  deps.moving()
}

async function bringFiles(deps: BillDeps, context: RunContext): Promise<WrittenFiles> {
  const { connection: sql, files, logger, moving } = deps
  const organization = await findOrganization(sql, context.organizationId)
  if (!organization) return { written: 0, repaired: 0, checks: [] }
  const namesChanged = deps.namesSeen.get(organization.id) !== organization.namesVersion
  const result = await writeBillableFiles(
    { sql, files, logger, moving, runId: () => context.need(sql) },
    organization,
    namesChanged,
  )
  deps.namesSeen.set(organization.id, organization.namesVersion)
  return result
}
