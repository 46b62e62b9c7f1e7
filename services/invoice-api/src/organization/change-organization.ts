import { holdUsage, recountUsage, writeAudit } from '@billtrail/db'
import { DomainError, unknownTimezone } from '@billtrail/domain'
import { type Caller, inTransaction, type Sql } from '@billtrail/platform'
import type { Pool } from 'pg'
import { givingWay } from '../giving-way'
import {
  databaseKnowsZone,
  isSlugTaken,
  readOrganization,
  updateOrganization,
  type Organization,
} from './organization.repo'
import type { OrganizationChanges, OrganizationFields } from './organization.schema'

/** The caller's organization. */
export function getOrganization(sql: Sql, caller: Caller): Promise<Organization> {
  return readOrganization(sql, caller.organizationId, { lock: false })
}

/**
 * Changes the settings that are given, and leaves an audit row. Another time zone moves usage between months, so usage is
 * counted anew in the same transaction.
 *
 * Throws DomainError `slug_taken`, `unknown_timezone`, `usage_is_being_counted`, `being_billed`.
 */
export async function changeOrganization(
  pool: Pool,
  caller: Caller,
  changes: OrganizationChanges,
): Promise<Organization> {
  const { timezone } = changes
  if (timezone !== undefined && !(await databaseKnowsZone(pool, timezone))) {
    throw unknownTimezone(timezone)
  }
  try {
    return await givingWay(() => inTransaction(pool, (sql) => apply(sql, caller, changes)))
  } catch (error) {
    if (isSlugTaken(error)) throw slugTaken(changes.slug ?? '')
    throw error
  }
}

async function apply(
  sql: Sql,
  caller: Caller,
  changes: OrganizationChanges,
): Promise<Organization> {
  const { organizationId } = caller
  if (changes.timezone !== undefined) await holdUsage(sql)
  const organization = await readOrganization(sql, organizationId, { lock: true })
  const before = fieldsOf(organization)
  const given = Object.entries(changes).filter(([, value]) => value !== undefined)
  const after: OrganizationFields = { ...before, ...Object.fromEntries(given) }
  if (JSON.stringify(before) === JSON.stringify(after)) return organization

  await updateOrganization(sql, organizationId, after)
  if (before.timezone !== after.timezone) await recountUsage(sql, { organizationId })
  await writeAudit(sql, {
    organizationId,
    actor: `key:${caller.keyId}`,
    action: 'organization.changed',
    objectType: 'organization',
    objectId: organizationId,
    before,
    after,
  })
  return readOrganization(sql, organizationId, { lock: false })
}

function fieldsOf(organization: Organization): OrganizationFields {
  const { name, slug, currency, timezone } = organization
  const { billable_group_by, billable_period, grace_hours } = organization
  return { name, slug, currency, timezone, billable_group_by, billable_period, grace_hours }
}

const slugTaken = (slug: string): DomainError =>
  new DomainError('conflict', 'slug_taken', `The slug ${slug} is taken. Choose another one.`, [
    { field: 'slug', message: 'is taken' },
  ])
