import { queueOpenMonths, writeAudit } from '@billtrail/db'
import { DomainError } from '@billtrail/domain'
import { type Caller, type Sql, sqlState } from '@billtrail/platform'
import { inSequelizeTransaction, sequelizeSql } from '@billtrail/platform/sequelize'
import type { Transaction } from 'sequelize'
import type { CatalogueDeps } from '../catalogue-deps'
import { activateVersion } from './change-version-state'
import { checkVersion, metersFor } from './check-version'
import { planNotActive, planNotFound } from './plan-faults'
import type { PlanRow } from './plan.model'
import type { NewPlan, PlanChanges } from './plans.schema'
import {
  activeVersions,
  findPlan,
  insertPlan,
  insertVersion,
  listPlans,
  lockPlan,
  readDefaults,
  setDefaultPlan,
} from './plans.repo'
import type { PlanView } from './present-plan'

const UNIQUE_VIOLATION = '23505'

/** Throws DomainError `plan_not_found`. */
export async function requirePlan(
  deps: CatalogueDeps,
  caller: Caller,
  idOrCode: string,
): Promise<PlanRow> {
  const plan = await findPlan(deps.plans, { organizationId: caller.organizationId, idOrCode })
  if (!plan) throw planNotFound(idOrCode)
  return plan
}

/** Throws DomainError `plan_not_found`. */
export async function getPlan(
  deps: CatalogueDeps,
  caller: Caller,
  idOrCode: string,
): Promise<PlanView> {
  const [view] = await viewsOf(deps, caller, [await requirePlan(deps, caller, idOrCode)])
  return view!
}

/** One more than `limit`, where there is: the sign of another page. */
export async function pageOfPlans(
  deps: CatalogueDeps,
  caller: Caller,
  page: { limit: number; after: string | undefined },
): Promise<PlanView[]> {
  const plans = await listPlans(deps.plans, {
    organizationId: caller.organizationId,
    after: page.after,
    limit: page.limit + 1,
  })
  return viewsOf(deps, caller, plans)
}

async function viewsOf(
  deps: CatalogueDeps,
  caller: Caller,
  plans: readonly PlanRow[],
): Promise<PlanView[]> {
  const ids = plans.map((plan) => plan.id)
  const [active, defaults] = await Promise.all([
    activeVersions(deps.versions, ids),
    readDefaults(deps.pool, caller.organizationId),
  ])
  return plans.map((plan) => ({
    plan,
    active: active.get(plan.id),
    isDefault: defaults.default_plan_id === plan.id,
  }))
}

/** Makes a plan and, with `charges`, its first version. Throws DomainError `plan_exists`, `invalid_plan`. */
export async function createPlan(
  deps: CatalogueDeps,
  caller: Caller,
  sent: NewPlan,
): Promise<PlanView> {
  if (sent.charges === undefined && (sent.activate ?? false)) throw nothingToActivate()
  try {
    const id = await inSequelizeTransaction(deps.sequelize, async (transaction) => {
      const sql = sequelizeSql(deps.sequelize, transaction)
      const { currency } = await readDefaults(sql, caller.organizationId)
      const plan = await addPlan(
        { deps, sql, transaction, caller },
        { code: sent.code, name: sent.name ?? sent.code, currency: sent.currency ?? currency },
      )
      if (sent.charges === undefined) return plan.id
      const charges = checkVersion(
        { charges: sent.charges },
        { currency: plan.currency, meters: await metersFor(sql, caller.organizationId) },
      )
      const version = await insertVersion(deps.versions, transaction, {
        planId: plan.id,
        charges,
        carryTiers: sent.carry_tiers ?? false,
      })
      if (sent.activate ?? false) {
        await activateVersion({ deps, sql, transaction, caller, plan, version })
      }
      return plan.id
    })
    return await getPlan(deps, caller, id)
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    throw new DomainError('conflict', 'plan_exists', `There is a plan ${sent.code} already.`, [
      { field: 'code', message: 'is taken' },
    ])
  }
}

/** Inside a transaction of the caller. */
export async function addPlan(
  context: { deps: CatalogueDeps; sql: Sql; transaction: Transaction; caller: Caller },
  { code, name, currency }: { code: string; name: string; currency: string },
): Promise<PlanRow> {
  const { deps, sql, transaction, caller } = context
  const { organizationId } = caller
  const fields = { code, name, currency }
  const plan = await insertPlan(deps.plans, transaction, { organizationId, ...fields })
  await writeAudit(sql, {
    organizationId,
    actor: `key:${caller.keyId}`,
    action: 'plan.created',
    objectType: 'plan',
    objectId: plan.id,
    before: null,
    after: fields,
  })
  return plan
}

/** Throws DomainError `plan_not_found`, `plan_not_active` when a plan without an active version is to be the default. */
export async function changePlan(
  deps: CatalogueDeps,
  caller: Caller,
  { idOrCode, changes }: { idOrCode: string; changes: PlanChanges },
): Promise<PlanView> {
  const { organizationId } = caller
  await inSequelizeTransaction(deps.sequelize, async (transaction) => {
    const sql = sequelizeSql(deps.sequelize, transaction)
    const plan = await lockPlan(deps.plans, transaction, { organizationId, idOrCode })
    if (!plan) throw planNotFound(idOrCode)
    await renamePlan({ sql, transaction, caller, plan }, changes.name ?? plan.name)
    if (changes.default ?? false) await makeDefault({ deps, sql, transaction, caller }, plan)
  })
  return getPlan(deps, caller, idOrCode)
}

export async function renamePlan(
  context: { sql: Sql; transaction: Transaction; caller: Caller; plan: PlanRow },
  name: string,
): Promise<void> {
  const { sql, transaction, caller, plan } = context
  const before = plan.name
  if (before === name) return
  plan.name = name
  await plan.save({ transaction })
  await writeAudit(sql, {
    organizationId: caller.organizationId,
    actor: `key:${caller.keyId}`,
    action: 'plan.changed',
    objectType: 'plan',
    objectId: plan.id,
    before: { name: before },
    after: { name },
  })
}

/** Customers without a subscription are on this plan from now on, in every month that is still open. */
export async function makeDefault(
  context: { deps: CatalogueDeps; sql: Sql; transaction: Transaction; caller: Caller },
  plan: PlanRow,
): Promise<void> {
  const { deps, sql, transaction, caller } = context
  const { organizationId } = caller
  const before = await readDefaults(sql, organizationId)
  if (before.default_plan_id === plan.id) return
  const active = await deps.versions.count({
    where: { planId: plan.id, state: 'active' },
    transaction,
  })
  if (active === 0) throw planNotActive(plan.code)
  await setDefaultPlan(sql, { organizationId, planId: plan.id })
  await queueOpenMonths(sql, organizationId)
  await writeAudit(sql, {
    organizationId,
    actor: `key:${caller.keyId}`,
    action: 'organization.default_plan_changed',
    objectType: 'organization',
    objectId: organizationId,
    before: { default_plan_id: before.default_plan_id },
    after: { default_plan_id: plan.id },
  })
}

const nothingToActivate = (): DomainError =>
  new DomainError('invalid', 'invalid_request', 'activate: there are no charges to activate.', [
    { field: 'activate', message: 'send charges as well' },
  ])
