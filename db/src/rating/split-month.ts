import { DomainError, type ProratedDays, proratedDays, zoneOffset } from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'
import { planOf, type RatingPlan } from './plan-versions'
import type { MonthState, UsageTotals } from './read-months'

/** A part of a month in which one plan holds: all of it, where nothing changes in between. */
export interface MonthPart {
  readonly customerNo: number
  /** [from, to), in microseconds since 1970. */
  readonly from: number
  readonly to: number
  readonly plan: RatingPlan
  /** By a subscription of the customer; else it is the organization's default plan. */
  readonly subscribed: boolean
  /** Undefined: the whole month. */
  readonly share: MonthShare | undefined
  readonly usage: UsageTotals
}

export interface MonthShare {
  readonly days: ProratedDays
  /** Dates of the customer's zone, [from, to). The day of a change within it is the later part's. */
  readonly fromDate: string
  readonly toDate: string
}

interface Piece {
  readonly from: number
  readonly to: number
  readonly subscription: MonthState['subscriptions'][number] | undefined
}

/**
 * The parts of a month, in their order: split where a subscription begins or ends, the default plan in between. The
 * usage of a part is left to be read. Throws DomainError `no_default_plan` where it is needed and there is none.
 */
export async function splitMonth(sql: Sql, month: MonthState): Promise<Omit<MonthPart, 'usage'>[]> {
  const pieces = piecesOf(month)
  const parts: Omit<MonthPart, 'usage'>[] = []
  for (const { from, to, subscription } of pieces) {
    const versionId = subscription?.planVersionId ?? month.defaultVersionId
    if (versionId === null) throw noDefaultPlan()
    parts.push({
      customerNo: month.customerNo,
      from,
      to,
      plan: await planOf(sql, versionId, subscription?.overrides),
      subscribed: subscription !== undefined,
      share: pieces.length === 1 ? undefined : shareOf(month, { from, to }),
    })
  }
  return parts
}

function piecesOf(month: MonthState): Piece[] {
  const pieces: Piece[] = []
  let at = month.from
  for (const subscription of month.subscriptions) {
    const from = Math.max(subscription.from, month.from)
    const to = Math.min(subscription.to ?? month.to, month.to)
    if (from > at) pieces.push({ from: at, to: from, subscription: undefined })
    pieces.push({ from, to, subscription })
    at = to
  }
  if (at < month.to) pieces.push({ from: at, to: month.to, subscription: undefined })
  return pieces
}

function shareOf(
  { period, zone, to: monthEnd }: MonthState,
  { from, to }: { from: number; to: number },
): MonthShare {
  const fromDate = localDate(from, zone)
  const toDate = to === monthEnd ? dayAfter(localDate(to - 1, zone)) : localDate(to, zone)
  return { fromDate, toDate, days: proratedDays({ from: fromDate, to: toDate, period }) }
}

/** The date that the zone's clock shows at an instant. */
function localDate(micros: number, zone: string): string {
  const millis = Math.floor(micros / 1000)
  return new Date(millis + zoneOffset(zone)(millis)).toISOString().slice(0, 10)
}

const dayAfter = (date: string): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10)

const noDefaultPlan = (): DomainError =>
  new DomainError(
    'conflict',
    'no_default_plan',
    'This organization has no active default plan, so usage cannot be priced.',
  )
