import { type Decimal, isZero, sum } from '../decimal'
import { currencyExponent } from '../money'
import { type BillCharge, type BillLine, rateCharge } from './rate-charge'
import { type Tax, type TaxLine, taxLines, taxToAdd } from './tax'

export interface BillInput {
  /** ISO 4217. */
  readonly currency: string
  readonly charges: readonly BillCharge[]
  readonly taxes?: readonly Tax[] | undefined
}

export interface RatedBill {
  readonly currency: string
  readonly lines: readonly BillLine[]
  /** The sum of the lines' rounded amounts. */
  readonly subtotal: Decimal
  readonly taxLines: readonly TaxLine[]
  /** Subtotal and the taxes that are not in it yet. */
  readonly total: Decimal
}

/**
 * Rates a bill: the one function behind quote, preview, draft, cycle, simulation and verify.
 *
 * Lines come in the order of the charges. A line of no quantity, no amount and no arithmetic is left out.
 * Throws DomainError invalid `unknown_currency`.
 */
export function rateBill({ currency, charges, taxes = [] }: BillInput): RatedBill {
  currencyExponent(currency)
  const lines: BillLine[] = []
  for (const charge of charges) {
    for (const line of rateCharge(charge, currency)) {
      if (!isZero(line.quantity) || line.subLines.length > 0) lines.push(line)
    }
  }
  const subtotal = sum(lines.map((line) => line.amount))
  const taxed = taxLines(subtotal, taxes, currency)
  const total = taxed.length === 0 ? subtotal : subtotal.plus(taxToAdd(taxed))
  return { currency, lines, subtotal, taxLines: taxed, total }
}
