import { decimal, type Decimal, sum, toPlain } from '@billtrail/domain'
import type { PeriodCheck } from './check-months.repo'

/** A billable file against the bills it is made of. Amounts by currency; plain decimal texts. */
export interface FileCheck {
  readonly key: string
  readonly rows: number
  readonly quantity: string
  readonly bills_quantity: string
  readonly amounts: Readonly<Record<string, string>>
  readonly bills_amounts: Readonly<Record<string, string>>
  /** Rows grouped by name are rated as groups, so their amounts are not those of the bills. */
  readonly amounts_compared: boolean
  readonly balanced: boolean
}

/** What a run found when it held its results against the first law (conservation). */
export interface RunChecks {
  readonly balanced: boolean
  readonly periods: readonly (PeriodCheck & { readonly balanced: boolean })[]
  readonly files: readonly FileCheck[]
}

export const NO_CHECKS: RunChecks = { balanced: true, periods: [], files: [] }

/** The checks of two parts of one run as one. */
export function mergeChecks(
  a: RunChecks,
  b: { periods?: readonly PeriodCheck[]; files?: readonly FileCheck[] },
): RunChecks {
  const byPeriod = new Map<string, PeriodCheck>(a.periods.map((check) => [check.period, check]))
  for (const check of b.periods ?? []) {
    const known = byPeriod.get(check.period)
    byPeriod.set(check.period, known ? addUp(known, check) : check)
  }
  const byKey = new Map(
    [...a.files, ...(b.files ?? [])].map((check) => [check.key, check] as const),
  )
  return runChecks([...byPeriod.values()], [...byKey.values()])
}

export function runChecks(checks: readonly PeriodCheck[], files: readonly FileCheck[]): RunChecks {
  const periods = [...checks]
    .sort((a, b) => (a.period < b.period ? -1 : 1))
    .map((check) => ({ ...check, balanced: isBalanced(check) }))
  const balanced = [...periods, ...files].every((check) => check.balanced)
  return { balanced, periods, files }
}

function isBalanced(check: PeriodCheck): boolean {
  const [events, usage, billed, unbilled] = [
    check.events_quantity,
    check.usage_quantity,
    check.billed_quantity,
    check.unbilled_quantity,
  ].map(decimal) as [Decimal, Decimal, Decimal, Decimal]
  return (
    check.months_off === 0 &&
    check.totals_off === 0 &&
    events.eq(usage) &&
    usage.eq(billed.plus(unbilled))
  )
}

function addUp(a: PeriodCheck, b: PeriodCheck): PeriodCheck {
  const added = (one: string, other: string): string => toPlain(sum([decimal(one), decimal(other)]))
  return {
    period: a.period,
    months: a.months + b.months,
    events_quantity: added(a.events_quantity, b.events_quantity),
    usage_quantity: added(a.usage_quantity, b.usage_quantity),
    billed_quantity: added(a.billed_quantity, b.billed_quantity),
    unbilled_quantity: added(a.unbilled_quantity, b.unbilled_quantity),
    months_off: a.months_off + b.months_off,
    totals_off: a.totals_off + b.totals_off,
  }
}
