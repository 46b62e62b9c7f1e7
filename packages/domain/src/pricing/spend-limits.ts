import { type Decimal, ZERO } from '../decimal'
import { roundToCurrency } from '../money'
import { priceText } from './line-text'
import type { LimitModifiers } from './price'
import { prorate, type ProratedDays } from './proration'
import type { RatedLine } from './rated-line'

/** What the charge comes to under its floor or ceiling, and the line that brings it there. */
export interface SpendLimit {
  readonly amount: Decimal
  readonly line: RatedLine
}

/**
 * Holds a charge between its minimum and its maximum, both for the days it applied.
 *
 * Compared as rounded, because rounded is what is billed: 9.996 under a minimum of 10.00 is no true-up of
 * 0.00. The minimum is a floor for credits too; a customer who committed to spend it, spends it.
 */
export function spendLimit(
  spent: Decimal,
  limits: LimitModifiers,
  { currency, days }: { readonly currency: string; readonly days: ProratedDays | undefined },
): SpendLimit | null {
  if (limits.minimum === undefined && limits.maximum === undefined) return null
  const rounded = roundToCurrency(spent, currency)
  const line = (bound: Decimal, kind: 'true_up' | 'savings', description: string): SpendLimit => ({
    amount: bound,
    line: {
      kind,
      description,
      units: ZERO,
      unitPrice: null,
      flatFee: ZERO,
      amount: bound.minus(spent),
      reason: kind === 'true_up' ? 'minimum' : 'maximum',
    },
  })
  if (limits.minimum !== undefined) {
    const floor = prorate(limits.minimum, days)
    if (rounded.lt(roundToCurrency(floor, currency))) {
      return line(floor, 'true_up', `True-up to the minimum of ${boundText(floor, currency)}`)
    }
  }
  if (limits.maximum !== undefined) {
    const ceiling = prorate(limits.maximum, days)
    if (rounded.gt(roundToCurrency(ceiling, currency))) {
      return line(ceiling, 'savings', `Capped at the maximum of ${boundText(ceiling, currency)}`)
    }
  }
  return null
}

function boundText(bound: Decimal, currency: string): string {
  return priceText(roundToCurrency(bound, currency), currency)
}
