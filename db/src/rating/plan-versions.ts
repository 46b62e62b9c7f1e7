import {
  Meter as MeterSchema,
  parsePlanVersion,
  Price,
  toMeter,
  toPrice,
} from '@billtrail/contracts'
import type { Meter, PlanVersion } from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'
import { z } from 'zod'

/** A plan version as it is kept with an invoice: enough to price the month again. */
export interface PlanSnapshot {
  readonly version_id: string
  readonly code: string
  readonly name: string
  readonly version: number
  readonly currency: string
  /** As they were saved, a customer's own prices in their places. */
  readonly charges: unknown
  readonly carry_tiers?: true
  /** Where the month was split between plans: each part's plan, for [from, to), dates of the customer's zone. */
  readonly parts?: readonly PlanPart[]
}

export interface PlanPart extends Omit<PlanSnapshot, 'parts'> {
  readonly from: string
  readonly to: string
}

/** A plan version ready to rate with. */
export interface RatingPlan {
  readonly snapshot: PlanSnapshot
  readonly version: PlanVersion
  readonly meters: ReadonlyMap<string, Meter>
  /** A customer's own prices stand in for some of the version's. */
  readonly overridden: boolean
  /** It was activated, so it never changes again. */
  readonly frozen: boolean
}

/** Prices of single charges that one subscription has for itself. */
const Overrides = z.array(z.object({ charge_id: z.string(), price: Price }))

const PLANS_KEPT_MAX = 1_000

/** Versions in use and their meters never change, so a process reads each once. */
const kept = new Map<string, RatingPlan>()

/** A plan version that this process has read before. */
export const keptPlan = (planVersionId: string): RatingPlan | undefined => kept.get(planVersionId)

/** A plan version, which must exist. `overrides` are a subscription's, as they were saved. */
export async function planOf(
  sql: Sql,
  planVersionId: string,
  overrides: unknown = [],
): Promise<RatingPlan> {
  const own = JSON.stringify(overrides)
  const key = own === '[]' ? planVersionId : `${planVersionId} ${own}`
  const known = kept.get(key)
  if (known) return known
  const plan =
    key === planVersionId
      ? await readPlan(sql, planVersionId)
      : withOverrides(await planOf(sql, planVersionId), overrides)
  if (!plan.frozen) return plan
  if (kept.size >= PLANS_KEPT_MAX) kept.clear()
  kept.set(key, plan)
  return plan
}

async function readPlan(sql: Sql, planVersionId: string): Promise<RatingPlan> {
  const { carry_tiers: carryTiers, frozen, ...snapshot } = await readSnapshot(sql, planVersionId)
  const meters = await readMeters(sql, planVersionId)
  const { charges, currency } = snapshot
  return {
    snapshot: carryTiers ? { ...snapshot, carry_tiers: true } : snapshot,
    version: parsePlanVersion({ charges, carry_tiers: carryTiers }, { currency, meters }),
    meters: new Map(meters.map((meter) => [meter.code, meter])),
    overridden: false,
    frozen,
  }
}

function withOverrides(plan: RatingPlan, saved: unknown): RatingPlan {
  const overrides = new Map(Overrides.parse(saved).map((one) => [one.charge_id, one.price]))
  const { snapshot, version } = plan
  const charges = version.charges.map((charge) => {
    const price = overrides.get(charge.id)
    return price === undefined ? charge : { ...charge, price: toPrice(price) }
  })
  const stored = z.array(z.looseObject({})).parse(snapshot.charges)
  return {
    ...plan,
    overridden: true,
    version: { ...version, charges },
    snapshot: {
      ...snapshot,
      charges: stored.map((charge, at) => {
        const price = overrides.get(version.charges[at]?.id ?? '')
        return price === undefined ? charge : { ...charge, price }
      }),
    },
  }
}

type StoredSnapshot = Omit<PlanSnapshot, 'carry_tiers' | 'parts'> & {
  readonly carry_tiers: boolean
  readonly frozen: boolean
}

async function readSnapshot(sql: Sql, planVersionId: string): Promise<StoredSnapshot> {
  const { rows } = await sql.query<StoredSnapshot & Record<string, unknown>>(
    `select v.id as version_id, p.code, p.name, v.version, p.currency, v.charges, v.carry_tiers, v.state <> 'draft' as frozen
     from plan_versions v join plans p on p.id = v.plan_id where v.id = $1`,
    [planVersionId],
  )
  const snapshot = rows[0]
  if (!snapshot) throw new Error(`There is no plan version ${planVersionId}.`)
  return snapshot
}

/** The meters of the organization that owns the plan version. */
async function readMeters(sql: Sql, planVersionId: string): Promise<Meter[]> {
  const { rows } = await sql.query(
    `select m.code, m.event_type, m.aggregation, m.property, m.filters, m.group_by
     from plan_versions v
     join plans p on p.id = v.plan_id
     join meters m on m.organization_id = p.organization_id
     where v.id = $1`,
    [planVersionId],
  )
  return rows.map((row) => toMeter(MeterSchema.parse(row)))
}
