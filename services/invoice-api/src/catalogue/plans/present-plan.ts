import { Charge } from '@billtrail/contracts'
import type { z } from 'zod'
import type { PlanRow } from './plan.model'
import type { PlanVersionRow } from './plan-version.model'
import type { PlanAnswer, VersionAnswer } from './plans.schema'

/** A plan with what is asked about it most often. */
export interface PlanView {
  readonly plan: PlanRow
  readonly active: PlanVersionRow | undefined
  readonly isDefault: boolean
}

export interface VersionView {
  readonly plan: PlanRow
  readonly version: PlanVersionRow
}

export const presentPlan = ({
  plan,
  active,
  isDefault,
}: PlanView): z.output<typeof PlanAnswer> => ({
  id: plan.id,
  code: plan.code,
  name: plan.name,
  currency: plan.currency,
  default: isDefault,
  active_version: active === undefined ? null : presentVersion({ plan, version: active }),
  created_at: plan.createdAt.toISOString(),
})

export const presentVersion = ({ plan, version }: VersionView): z.output<typeof VersionAnswer> => ({
  id: version.id,
  plan_id: plan.id,
  plan: plan.code,
  version: version.version,
  state: version.state,
  currency: plan.currency,
  // jsonb keeps no order of fields; the schema puts them back into theirs.
  charges: version.charges.map((charge) => Charge.parse(charge)),
  carry_tiers: version.carryTiers,
  created_at: version.createdAt.toISOString(),
  activated_at: version.activatedAt?.toISOString() ?? null,
  retired_at: version.retiredAt?.toISOString() ?? null,
})
