import { DomainError, periodBounds } from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'
import { findOrganizationZone } from '../cycle/organizations.repo'
import { isPeriodOver, requestRun, type BillingRun } from './billing-runs.repo'

/**
 * Queues a billing run of one month. While one for the same month and purpose waits or runs, that one is returned.
 * Throws DomainError `period_not_over` when a month is to be finalized that is still going on.
 */
export async function requestBillingRun(
  sql: Sql,
  request: { organizationId: string; period: string; finalize: boolean },
): Promise<BillingRun> {
  const { organizationId, period } = request
  if (request.finalize) {
    const zone = await findOrganizationZone(sql, organizationId)
    const endsAt = periodBounds(period, zone).end
    if (!(await isPeriodOver(sql, { organizationId, period, endsAt }))) throw periodNotOver(period)
  }
  return requestRun(sql, request)
}

const periodNotOver = (period: string): DomainError =>
  new DomainError(
    'invalid',
    'period_not_over',
    `${period} is not over yet for every customer. Leave finalize out to bill it as it stands.`,
    [{ field: 'period', message: 'choose a month that is over' }],
  )
