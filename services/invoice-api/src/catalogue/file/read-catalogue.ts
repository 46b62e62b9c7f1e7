import { Charge, type MeterJson } from '@billtrail/contracts'
import type { Sql } from '@billtrail/platform'
import type { Transaction } from 'sequelize'
import type { CatalogueDeps } from '../catalogue-deps'
import { listMeters } from '../meters/meters.repo'
import type { MeterRow } from '../meters/meter.model'
import { contentOf } from '../meters/present-meter'
import { listPlans, readDefaults, versionsOf } from '../plans/plans.repo'
import type { PlanRow } from '../plans/plan.model'
import type { PlanVersionRow } from '../plans/plan-version.model'
import type { CatalogueJson, FileVersionJson } from './catalogue-file.schema'

/** The rows a catalogue is made of. */
export interface StoredCatalogue {
  readonly defaultPlanId: string | null
  readonly meters: readonly MeterRow[]
  readonly plans: readonly PlanRow[]
  readonly versions: readonly PlanVersionRow[]
}

export async function readCatalogue(
  deps: CatalogueDeps,
  context: { sql: Sql; transaction: Transaction; organizationId: string },
): Promise<StoredCatalogue> {
  const { sql, transaction, organizationId } = context
  const { default_plan_id: defaultPlanId } = await readDefaults(sql, organizationId)
  const meters = await listMeters(deps.meters, { organizationId }, transaction)
  const plans = await listPlans(deps.plans, { organizationId }, transaction)
  const ids = plans.map((plan) => plan.id)
  const versions = await versionsOf(deps.versions, ids, transaction)
  return { defaultPlanId, meters, plans, versions }
}

/** The file that says what is stored: all of it, with fields that say nothing left out. */
export function catalogueOf(stored: StoredCatalogue): CatalogueJson {
  const defaultPlan = stored.plans.find((plan) => plan.id === stored.defaultPlanId)
  return {
    ...(defaultPlan === undefined ? {} : { default_plan: defaultPlan.code }),
    meters: stored.meters.map(meterOf),
    plans: stored.plans.map((plan) => ({
      code: plan.code,
      name: plan.name,
      currency: plan.currency,
      versions: stored.versions.filter((version) => version.planId === plan.id).map(versionOf),
    })),
  }
}

function meterOf(meter: MeterRow): MeterJson {
  const content = contentOf(meter)
  return {
    code: meter.code,
    name: content.name,
    ...(content.event_type === null ? {} : { event_type: content.event_type }),
    aggregation: content.aggregation,
    ...(content.property === null ? {} : { property: content.property }),
    ...(content.filters.length === 0 ? {} : { filters: content.filters }),
    ...(content.group_by.length === 0 ? {} : { group_by: content.group_by }),
  }
}

const versionOf = (row: PlanVersionRow): FileVersionJson => ({
  version: row.version,
  state: row.state,
  // jsonb keeps no order of fields; the schema puts them back into theirs.
  charges: row.charges.map((charge) => Charge.parse(charge)),
  ...(row.carryTiers ? { carry_tiers: true } : {}),
})
