import { sqlState, type Sql } from '@billtrail/platform'
import type { OrganizationFields } from './organization.schema'

export interface Organization extends OrganizationFields {
  readonly id: string
  readonly created_at: string
  readonly updated_at: string
}

const at = (column: string): string =>
  `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as ${column}`

const COLUMNS = `id, name, slug, currency, timezone, billable_group_by, billable_period,
  grace_hours::float8 as grace_hours, ${at('created_at')}, ${at('updated_at')}`

/** The caller's own organization; `lock` keeps others from changing it until the transaction ends. */
export async function readOrganization(
  sql: Sql,
  id: string,
  options: { lock: boolean },
): Promise<Organization> {
  const { rows } = await sql.query<Organization & Record<string, unknown>>(
    `select ${COLUMNS} from organizations where id = $1 ${options.lock ? 'for no key update' : ''}`,
    [id],
  )
  return rows[0]!
}

export async function updateOrganization(
  sql: Sql,
  id: string,
  fields: OrganizationFields,
): Promise<void> {
  await sql.query(
    `update organizations
     set name = $2, slug = $3, currency = $4, timezone = $5, billable_group_by = $6, billable_period = $7,
         grace_hours = $8, updated_at = clock_timestamp()
     where id = $1`,
    [
      id,
      fields.name,
      fields.slug,
      fields.currency,
      fields.timezone,
      fields.billable_group_by,
      fields.billable_period,
      fields.grace_hours,
    ],
  )
}

const UNIQUE_VIOLATION = '23505'
const INVALID_PARAMETER_VALUE = '22023'

export const isSlugTaken = (error: unknown): boolean => sqlState(error) === UNIQUE_VIOLATION

/** Months are counted in SQL, so the database must know the zone too: its list may be older than ours. */
export async function databaseKnowsZone(sql: Sql, zone: string): Promise<boolean> {
  try {
    await sql.query('select now() at time zone $1', [zone])
    return true
  } catch (error) {
    if (sqlState(error) === INVALID_PARAMETER_VALUE) return false
    throw error
  }
}
