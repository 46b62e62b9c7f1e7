import {
  type ChargeJson,
  Meter as MeterSchema,
  parsePlanVersion,
  toMeter,
} from '@billtrail/contracts'
import type { Meter } from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'
import { holdMeters } from './plans.repo'

export interface VersionContent {
  readonly charges: readonly ChargeJson[]
  readonly carry_tiers?: boolean | undefined
}

/** The organization's meters; nobody changes them until the transaction ends. */
export async function metersFor(sql: Sql, organizationId: string): Promise<Meter[]> {
  const rows = await holdMeters(sql, organizationId)
  return rows.map((row) => toMeter(MeterSchema.parse(row)))
}

/**
 * Makes sure that the version prices everything it names, and gives every charge its id for good.
 * Throws DomainError `invalid_plan` with every fault by its path.
 */
export function checkVersion(
  { charges, carry_tiers: carryTiers }: VersionContent,
  catalogue: { currency: string; meters: readonly Meter[] },
): ChargeJson[] {
  const parsed = parsePlanVersion(
    { charges, ...(carryTiers === undefined ? {} : { carry_tiers: carryTiers }) },
    catalogue,
  )
  return charges.map((charge, at) => ({ ...charge, id: parsed.charges[at]!.id }))
}
