import { randomUUID } from 'node:crypto'
import type { ChargeJson } from '@billtrail/contracts'
import type { Sql } from '@billtrail/platform'
import { unwrapErrors } from '@billtrail/platform/sequelize'
import { Op, type Transaction } from 'sequelize'
import type { PlanRow, Plans } from './plan.model'
import type { PlanVersionRow, PlanVersions, VersionState } from './plan-version.model'

interface PlanKey {
  readonly organizationId: string
  /** Its id or its code. */
  readonly idOrCode: string
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i

const whereOf = ({ organizationId, idOrCode }: PlanKey) => ({
  organizationId,
  // A code may look like an id, so both are asked.
  [Op.or]: [{ code: idOrCode }, ...(UUID.test(idOrCode) ? [{ id: idOrCode }] : [])],
})

export async function findPlan(plans: Plans, key: PlanKey): Promise<PlanRow | null> {
  return unwrapErrors(() => plans.findOne({ where: whereOf(key) }))
}

/** Locked until the transaction ends; whoever changes a version of a plan locks the plan first. */
export async function lockPlan(
  plans: Plans,
  transaction: Transaction,
  key: PlanKey,
): Promise<PlanRow | null> {
  return plans.findOne({ where: whereOf(key), transaction, lock: transaction.LOCK.UPDATE })
}

/** By code, ascending by its bytes. */
export async function listPlans(
  plans: Plans,
  page: { organizationId: string; after?: string | undefined; limit?: number },
  transaction?: Transaction,
): Promise<PlanRow[]> {
  const { organizationId, after, limit } = page
  return unwrapErrors(() =>
    plans.findAll({
      where: { organizationId, ...(after === undefined ? {} : { code: { [Op.gt]: after } }) },
      order: [['code', 'ASC']],
      ...(limit === undefined ? {} : { limit }),
      ...(transaction === undefined ? {} : { transaction }),
    }),
  )
}

export async function insertPlan(
  plans: Plans,
  transaction: Transaction,
  plan: { organizationId: string; code: string; name: string; currency: string },
): Promise<PlanRow> {
  return plans.create({ id: randomUUID(), ...plan }, { transaction })
}

/** The active version of each plan. */
export async function activeVersions(
  versions: PlanVersions,
  planIds: readonly string[],
): Promise<ReadonlyMap<string, PlanVersionRow>> {
  const rows = await unwrapErrors(() =>
    versions.findAll({ where: { planId: [...planIds], state: 'active' } }),
  )
  return new Map(rows.map((row) => [row.planId, row]))
}

export async function findVersion(
  versions: PlanVersions,
  key: { planId: string; version: number },
  transaction?: Transaction,
): Promise<PlanVersionRow | null> {
  return unwrapErrors(() =>
    versions.findOne({ where: key, ...(transaction === undefined ? {} : { transaction }) }),
  )
}

/** The newest first. */
export async function listVersions(
  versions: PlanVersions,
  page: { planId: string; before: number | undefined; limit: number },
): Promise<PlanVersionRow[]> {
  const { planId, before, limit } = page
  return unwrapErrors(() =>
    versions.findAll({
      where: { planId, ...(before === undefined ? {} : { version: { [Op.lt]: before } }) },
      order: [['version', 'DESC']],
      limit,
    }),
  )
}

/** Every version of every one of these plans, in their order. */
export async function versionsOf(
  versions: PlanVersions,
  planIds: readonly string[],
  transaction: Transaction,
): Promise<PlanVersionRow[]> {
  return versions.findAll({
    where: { planId: [...planIds] },
    order: [['version', 'ASC']],
    transaction,
  })
}

/** `version` left out: the next one. */
export async function insertVersion(
  versions: PlanVersions,
  transaction: Transaction,
  draft: { planId: string; version?: number; charges: ChargeJson[]; carryTiers: boolean },
): Promise<PlanVersionRow> {
  const { planId, charges, carryTiers } = draft
  const latest = await versions.max<number | null, PlanVersionRow>('version', {
    where: { planId },
    transaction,
  })
  const version = draft.version ?? (latest ?? 0) + 1
  return versions.create(
    { id: randomUUID(), planId, version, state: 'draft', charges, carryTiers },
    { transaction },
  )
}

export async function saveState(
  version: PlanVersionRow,
  transaction: Transaction,
  state: VersionState,
): Promise<void> {
  const now = new Date()
  version.state = state
  if (state === 'active') version.activatedAt = now
  if (state === 'retired') version.retiredAt = now
  await version.save({ transaction })
}

export async function readDefaults(
  sql: Sql,
  organizationId: string,
): Promise<{ default_plan_id: string | null; currency: string }> {
  const { rows } = await sql.query<{ default_plan_id: string | null; currency: string }>(
    'select default_plan_id, currency from organizations where id = $1',
    [organizationId],
  )
  return rows[0]!
}

export async function setDefaultPlan(
  sql: Sql,
  { organizationId, planId }: { organizationId: string; planId: string },
): Promise<void> {
  await sql.query(
    'update organizations set default_plan_id = $2, updated_at = clock_timestamp() where id = $1',
    [organizationId, planId],
  )
}

/** The organization's meters as the catalogue's rules need them, kept as they are until the transaction ends. */
export async function holdMeters(sql: Sql, organizationId: string): Promise<object[]> {
  const { rows } = await sql.query(
    `select code, event_type, aggregation, property, filters, group_by
     from meters where organization_id = $1 order by code for share`,
    [organizationId],
  )
  return rows
}
