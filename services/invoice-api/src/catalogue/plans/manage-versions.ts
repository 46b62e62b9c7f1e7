import { writeAudit } from '@billtrail/db'
import { DomainError } from '@billtrail/domain'
import type { Caller, Sql } from '@billtrail/platform'
import { inSequelizeTransaction, sequelizeSql } from '@billtrail/platform/sequelize'
import type { Transaction } from 'sequelize'
import type { CatalogueDeps } from '../catalogue-deps'
import { activateVersion, retireVersion, type VersionChange } from './change-version-state'
import { checkVersion, metersFor, type VersionContent } from './check-version'
import { requirePlan } from './manage-plans'
import { planNotFound } from './plan-faults'
import type { PlanRow } from './plan.model'
import type { PlanVersionRow } from './plan-version.model'
import { findVersion, insertVersion, listVersions, lockPlan } from './plans.repo'
import type { NewVersion, VersionChanges } from './plans.schema'
import type { VersionView } from './present-plan'

interface VersionKey {
  readonly idOrCode: string
  readonly version: number
}

interface Locked {
  readonly deps: CatalogueDeps
  readonly sql: Sql
  readonly transaction: Transaction
  readonly caller: Caller
  readonly plan: PlanRow
}

/** Throws DomainError `plan_not_found`, `plan_version_not_found`. */
export async function getVersion(
  deps: CatalogueDeps,
  caller: Caller,
  { idOrCode, version }: VersionKey,
): Promise<VersionView> {
  const plan = await requirePlan(deps, caller, idOrCode)
  const found = await findVersion(deps.versions, { planId: plan.id, version })
  if (!found) throw versionNotFound(plan, version)
  return { plan, version: found }
}

/** The newest first; one more than `limit`, where there is. Throws DomainError `plan_not_found`. */
export async function pageOfVersions(
  deps: CatalogueDeps,
  caller: Caller,
  page: { idOrCode: string; limit: number; before: number | undefined },
): Promise<VersionView[]> {
  const plan = await requirePlan(deps, caller, page.idOrCode)
  const { before, limit } = page
  const rows = await listVersions(deps.versions, { planId: plan.id, before, limit: limit + 1 })
  return rows.map((version) => ({ plan, version }))
}

/** Makes the plan's next version: a draft, or with `activate` the active one. Throws `plan_not_found`, `invalid_plan`. */
export async function createVersion(
  deps: CatalogueDeps,
  caller: Caller,
  { idOrCode, sent }: { idOrCode: string; sent: NewVersion },
): Promise<VersionView> {
  return withPlan(deps, caller, idOrCode, async (locked) => {
    const charges = await checkedCharges(locked, sent)
    const version = await insertVersion(deps.versions, locked.transaction, {
      planId: locked.plan.id,
      charges,
      carryTiers: sent.carry_tiers ?? false,
    })
    await auditContent({ ...locked, version }, null)
    if (sent.activate ?? false) await activateVersion({ ...locked, version })
    return { plan: locked.plan, version }
  })
}

/** Throws DomainError `plan_version_frozen` for one that is no draft, `invalid_plan`, and those of `getVersion`. */
export async function changeVersion(
  deps: CatalogueDeps,
  caller: Caller,
  { key, changes }: { key: VersionKey; changes: VersionChanges },
): Promise<VersionView> {
  return withVersion(deps, caller, key, async (change) => {
    const { plan, version } = change
    await changeDraft(change, {
      charges: changes.charges ?? version.charges,
      carry_tiers: changes.carry_tiers ?? version.carryTiers,
    })
    return { plan, version }
  })
}

/** Inside a transaction that has locked the plan. Throws DomainError `plan_version_frozen`, `invalid_plan`. */
export async function changeDraft(change: VersionChange, content: VersionContent): Promise<void> {
  const { plan, version } = change
  if (version.state !== 'draft') throw versionFrozen(plan, version)
  const before = { charges: version.charges, carry_tiers: version.carryTiers }
  version.charges = await checkedCharges(change, content)
  version.carryTiers = content.carry_tiers ?? false
  await version.save({ transaction: change.transaction })
  await auditContent(change, before)
}

/** Moves a version on: `activate` a draft, `retire` any. Said again it changes nothing. */
export async function moveVersion(
  deps: CatalogueDeps,
  caller: Caller,
  { key, to }: { key: VersionKey; to: 'active' | 'retired' },
): Promise<VersionView> {
  return withVersion(deps, caller, key, async (change) => {
    await (to === 'active' ? activateVersion(change) : retireVersion(change))
    return { plan: change.plan, version: change.version }
  })
}

async function withPlan<T>(
  deps: CatalogueDeps,
  caller: Caller,
  idOrCode: string,
  job: (locked: Locked) => Promise<T>,
): Promise<T> {
  return inSequelizeTransaction(deps.sequelize, async (transaction) => {
    const { organizationId } = caller
    const plan = await lockPlan(deps.plans, transaction, { organizationId, idOrCode })
    if (!plan) throw planNotFound(idOrCode)
    const sql = sequelizeSql(deps.sequelize, transaction)
    return job({ deps, sql, transaction, caller, plan })
  })
}

async function withVersion<T>(
  deps: CatalogueDeps,
  caller: Caller,
  key: VersionKey,
  job: (change: VersionChange) => Promise<T>,
): Promise<T> {
  return withPlan(deps, caller, key.idOrCode, async (locked) => {
    const { plan, transaction } = locked
    const version = await findVersion(
      deps.versions,
      { planId: plan.id, version: key.version },
      transaction,
    )
    if (!version) throw versionNotFound(plan, key.version)
    return job({ ...locked, version })
  })
}

async function checkedCharges({ sql, caller, plan }: Locked, content: VersionContent) {
  const meters = await metersFor(sql, caller.organizationId)
  return checkVersion(content, { currency: plan.currency, meters })
}

async function auditContent(
  { sql, caller, plan, version }: VersionChange,
  before: object | null,
): Promise<void> {
  await writeAudit(sql, {
    organizationId: caller.organizationId,
    actor: `key:${caller.keyId}`,
    action: before === null ? 'plan_version.created' : 'plan_version.changed',
    objectType: 'plan_version',
    objectId: version.id,
    before,
    after: {
      plan: plan.code,
      version: version.version,
      charges: version.charges,
      carry_tiers: version.carryTiers,
    },
  })
}

const versionNotFound = (plan: PlanRow, version: number): DomainError =>
  new DomainError(
    'not_found',
    'plan_version_not_found',
    `The plan ${plan.code} has no version ${version}.`,
  )

const versionFrozen = (plan: PlanRow, version: PlanVersionRow): DomainError =>
  new DomainError(
    'conflict',
    'plan_version_frozen',
    `Version ${version.version} of ${plan.code} is ${version.state}, so it never changes. Make a new version.`,
  )
