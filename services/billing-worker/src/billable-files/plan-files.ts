import type { BilledOrganization } from '../cycle/organizations.repo'
import type { BillableFile } from './billable-files.repo'

/** A file that ought to be in the bucket. */
export interface FileTarget {
  readonly key: string
  /** The month in the file's row; null: all time. */
  readonly period: string | null
  /** Whether its content may have changed since it was written. */
  readonly stale: boolean
}

export interface FilePlan {
  readonly organization: BilledOrganization
  readonly current: readonly BillableFile[]
  readonly changedPeriods: ReadonlySet<string>
  readonly billed: readonly { readonly period: string; readonly open: boolean }[]
  /** Names or settings changed since they were last looked at. */
  readonly namesChanged: boolean
}

const FILE_NAME = 'billable_customers.txt'

/** Where all of an organization's files lie. */
export const keyPrefixOf = (organization: BilledOrganization): string => `${organization.slug}/`

/**
 * The files an organization should have: that of the current month (or of all time), and one for each month that has
 * bills or had some. A month's file is made anew while the month is open, and a last time when it closes.
 */
export function planFiles(plan: FilePlan): FileTarget[] {
  const { organization, current, changedPeriods, namesChanged } = plan
  const prefix = keyPrefixOf(organization)
  const written = new Map(current.map((file) => [file.key, file]))
  const key = `${prefix}${FILE_NAME}`
  const period = organization.billablePeriod === 'all' ? null : organization.currentPeriod
  const touched = period === null ? changedPeriods.size > 0 : changedPeriods.has(period)
  const lies = written.get(key)
  const currentTarget = {
    key,
    period,
    stale: touched || namesChanged || lies === undefined || lies.period !== period,
  }

  const months = new Map(plan.billed.map((month) => [month.period, month.open]))
  for (const changed of changedPeriods) months.set(changed, months.get(changed) ?? true)
  for (const file of current) {
    if (file.key !== key && file.period !== null && !months.has(file.period)) {
      months.set(file.period, false)
    }
  }
  const monthTargets = [...months].map(([month, open]) => {
    const monthKey = `${prefix}periods/${month}/${FILE_NAME}`
    const stale = changedPeriods.has(month) || (open && namesChanged) || !written.has(monthKey)
    return { key: monthKey, period: month, stale }
  })
  return [currentTarget, ...monthTargets.sort((a, b) => (a.key < b.key ? -1 : 1))]
}
