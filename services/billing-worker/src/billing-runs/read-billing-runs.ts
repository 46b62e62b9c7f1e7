import { DomainError } from '@billtrail/domain'
import { decodeCursor, type Page, pageOf, type Sql } from '@billtrail/platform'
import { z } from 'zod'
import { findRun, listRuns, type BillingRun } from './billing-runs.repo'

const Cursor = z.tuple([z.string(), z.uuid()])

/** One run of the organization. Throws DomainError `billing_run_not_found`. */
export async function getBillingRun(
  sql: Sql,
  key: { organizationId: string; id: string },
): Promise<BillingRun> {
  const run = await findRun(sql, key)
  if (!run) {
    const message = `There is no billing run ${key.id}.`
    throw new DomainError('not_found', 'billing_run_not_found', message)
  }
  return run
}

/** A page of runs, the newest first. */
export async function pageOfBillingRuns<Item>(
  sql: Sql,
  query: {
    organizationId: string
    period: string | undefined
    limit: number
    cursor: string | undefined
  },
  present: (run: BillingRun) => Item,
): Promise<Page<Item>> {
  const runs = await listRuns(sql, {
    organizationId: query.organizationId,
    period: query.period,
    limit: query.limit + 1,
    after: decodeCursor(query.cursor, Cursor),
  })
  return pageOf(runs, query.limit, present, (run) => [run.requestedAt, run.id])
}
