import { DomainError } from '@billtrail/domain'
import { sqlState } from '@billtrail/platform'

const LOCK_NOT_AVAILABLE = '55P03'
const DEADLOCK = '40P01'

/** Runs a job that gives way to a billing cycle which holds the same rows for longer than we wait. */
export async function givingWay<T>(job: () => Promise<T>): Promise<T> {
  try {
    return await job()
  } catch (error) {
    if (![LOCK_NOT_AVAILABLE, DEADLOCK].includes(sqlState(error))) throw error
    throw new DomainError(
      'busy',
      'being_billed',
      'This is being billed just now. Nothing was changed; send the request again in a moment.',
      [],
      5,
    )
  }
}
