import { type Decimal, isZero, percent, toPlain, ZERO } from '../decimal'
import { type RatedLine, sumOfLines } from './rated-line'

/** What a discount takes off the lines before it. */
export function discountLines(lines: readonly RatedLine[], discountPercent: Decimal): RatedLine[] {
  const amount = sumOfLines(lines).times(percent(discountPercent)).neg()
  if (isZero(amount)) return []
  return [
    {
      kind: 'discount',
      description: `${toPlain(discountPercent)}% discount`,
      units: ZERO,
      unitPrice: null,
      flatFee: ZERO,
      amount,
      reason: 'discount_percent',
    },
  ]
}
