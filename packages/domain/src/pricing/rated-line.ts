import { type Decimal, isZero, ZERO } from '../decimal'

/**
 * What a line stands for:
 * - `usage` units at a price; `fee` a fee per event; `free_units` units that cost nothing
 * - `discount` a percentage taken off; `true_up` what a minimum adds; `savings` what a rule takes off
 * - `unpriced` usage that no price was found for: shown, and costs nothing
 */
export type RatedLineKind =
  | 'usage'
  | 'fee'
  | 'free_units'
  | 'discount'
  | 'true_up'
  | 'savings'
  | 'unpriced'

/**
 * One step of the arithmetic, never rounded. Where there is a unit price,
 * `amount = units × unitPrice + flatFee`; without one the amount stands for itself.
 */
export interface RatedLine {
  readonly kind: RatedLineKind
  /** Reads as a sentence on an invoice. */
  readonly description: string
  /** Units, packages (of a package price), value (of a percentage) or events (of a fee). */
  readonly units: Decimal
  /** In the bill's currency; of a percentage its factor, so 2.9 % is 0.029. */
  readonly unitPrice: Decimal | null
  readonly flatFee: Decimal
  readonly amount: Decimal
  /** The tier that priced the line: (from, upTo], open at the top where upTo is null. */
  readonly tier?: { readonly from: Decimal; readonly upTo: Decimal | null }
  /** Why a modifier took or added: `minimum`, `maximum`, `min_per_event`, `repeated_event`, `cap`, … */
  readonly reason?: string
  /** The property values a line is for, in a matrix or under a cap. */
  readonly properties?: Readonly<Record<string, string>>
}

/** The amount of a line that has a unit price. */
export function amountAt(
  unitPrice: Decimal,
  { units, flatFee }: Pick<RatedLine, 'units' | 'flatFee'>,
): Decimal {
  const amount = units.times(unitPrice)
  return isZero(flatFee) ? amount : amount.plus(flatFee)
}

export function sumOfLines(lines: readonly RatedLine[]): Decimal {
  let total: Decimal | undefined
  for (const { amount } of lines) total = total?.plus(amount) ?? amount
  return total ?? ZERO
}

/** The lines of a credit: what the same lines would cost, negated. Unit prices stay. */
export function negateLines(lines: readonly RatedLine[]): RatedLine[] {
  return lines.map((line) => ({
    ...line,
    units: line.units.neg(),
    flatFee: line.flatFee.neg(),
    amount: line.amount.neg(),
    description: `Credit: ${line.description}`,
  }))
}
