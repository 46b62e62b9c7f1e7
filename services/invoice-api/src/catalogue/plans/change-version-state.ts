import { queueOpenMonths, writeAudit } from '@billtrail/db'
import { DomainError } from '@billtrail/domain'
import type { Caller, Sql } from '@billtrail/platform'
import type { Transaction } from 'sequelize'
import type { CatalogueDeps } from '../catalogue-deps'
import { checkVersion, metersFor } from './check-version'
import type { PlanRow } from './plan.model'
import type { PlanVersionRow, VersionState } from './plan-version.model'
import { readDefaults, saveState } from './plans.repo'

/** A change inside a transaction that has locked the plan. */
export interface VersionChange {
  readonly deps: CatalogueDeps
  readonly sql: Sql
  readonly transaction: Transaction
  readonly caller: Caller
  readonly plan: PlanRow
  readonly version: PlanVersionRow
}

/**
 * Activates a draft; the plan's active version is retired. An active one stays as it is.
 * Throws DomainError `plan_version_retired`, `invalid_plan` (its meters may have changed since it was saved).
 */
export async function activateVersion(change: VersionChange): Promise<void> {
  const { deps, sql, transaction, caller, plan, version } = change
  if (version.state === 'active') return
  if (version.state === 'retired') throw versionRetired(plan, version)
  const meters = await metersFor(sql, caller.organizationId)
  checkVersion({ charges: version.charges }, { currency: plan.currency, meters })

  const active = await deps.versions.findOne({
    where: { planId: plan.id, state: 'active' },
    transaction,
  })
  if (active) await moveTo({ ...change, version: active }, 'retired')
  await moveTo(change, 'active')
  await queueIfDefault(sql, caller.organizationId, plan)
}

/**
 * Retires a version: nobody gets it any more, and who is on it stays on it. A retired one stays as it is.
 * Throws DomainError `default_plan_needs_version` for the active one of the default plan.
 */
export async function retireVersion(change: VersionChange): Promise<void> {
  const { sql, caller, plan, version } = change
  if (version.state === 'retired') return
  const { default_plan_id: defaultPlan } = await readDefaults(sql, caller.organizationId)
  if (version.state === 'active' && defaultPlan === plan.id) {
    throw new DomainError(
      'conflict',
      'default_plan_needs_version',
      `${plan.code} is the default plan. Activate another version of it, or make another plan the default first.`,
    )
  }
  await moveTo(change, 'retired')
}

async function moveTo(change: VersionChange, state: VersionState): Promise<void> {
  const { sql, transaction, caller, plan, version } = change
  const before = version.state
  await saveState(version, transaction, state)
  await writeAudit(sql, {
    organizationId: caller.organizationId,
    actor: `key:${caller.keyId}`,
    action: state === 'active' ? 'plan_version.activated' : 'plan_version.retired',
    objectType: 'plan_version',
    objectId: version.id,
    before: { state: before },
    after: { state, plan: plan.code, version: version.version },
  })
}

/** Customers without a subscription are billed by the active version of the default plan. */
async function queueIfDefault(sql: Sql, organizationId: string, plan: PlanRow): Promise<void> {
  const { default_plan_id: defaultPlan } = await readDefaults(sql, organizationId)
  if (defaultPlan === plan.id) await queueOpenMonths(sql, organizationId)
}

const versionRetired = (plan: PlanRow, version: PlanVersionRow): DomainError =>
  new DomainError(
    'conflict',
    'plan_version_retired',
    `Version ${version.version} of ${plan.code} is retired. Make a new version with its charges.`,
  )
