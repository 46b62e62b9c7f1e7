import { unknownTimezone } from '@billtrail/domain'
import { sqlState, type Sql } from '@billtrail/platform'

const INVALID_PARAMETER_VALUE = '22023'

/**
 * Months are counted in SQL, so the database must know the zone too: its list may be older than ours.
 * Throws `unknown_timezone`.
 */
export async function requireTimezone(sql: Sql, zone: string | null | undefined): Promise<void> {
  if (zone === null || zone === undefined) return
  try {
    await sql.query('select now() at time zone $1', [zone])
  } catch (error) {
    throw sqlState(error) === INVALID_PARAMETER_VALUE ? unknownTimezone(zone) : error
  }
}
