import { type Decimal, decimal, divide, sum, ZERO } from '../decimal'
import { roundToCurrency } from '../money'

export interface Tax {
  readonly name: string
  readonly ratePercent: Decimal
  /** Already in the prices: shown, and adds nothing to the total. */
  readonly inclusive: boolean
}

export interface TaxLine extends Tax {
  /** What the tax is a share of. */
  readonly base: Decimal
  /** Rounded to the currency. */
  readonly amount: Decimal
}

const HUNDRED = decimal('100')

/**
 * Taxes on the sum of a bill's rounded lines, each rounded once.
 *
 * Inclusive taxes are what the sum already holds: sum × rate ÷ (100 + all inclusive rates). Exclusive ones are charged
 * on the sum as the lines show it.
 */
export function taxLines(
  subtotal: Decimal,
  taxes: readonly Tax[],
  currency: string,
): readonly TaxLine[] {
  if (taxes.length === 0) return []
  const inclusive = taxes.filter((tax) => tax.inclusive).map((tax) => tax.ratePercent)
  const gross = HUNDRED.plus(sum(inclusive))
  return taxes.map((tax) => {
    const share = divide(subtotal.times(tax.ratePercent), tax.inclusive ? gross : HUNDRED)
    return { ...tax, base: subtotal, amount: roundToCurrency(share, currency) }
  })
}

/** What taxes add to a bill. */
export function taxToAdd(lines: readonly TaxLine[]): Decimal {
  return lines.reduce((total, tax) => (tax.inclusive ? total : total.plus(tax.amount)), ZERO)
}
