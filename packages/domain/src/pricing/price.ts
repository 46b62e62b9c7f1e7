import type { Decimal } from '../decimal'
import type { Tier, RateTier } from './tiers'

/** What any price may have. Amounts are in the currency the price is rated in. */
export interface LimitModifiers {
  /** Taken off what the model came to, 0 to 100. */
  readonly discountPercent?: Decimal | undefined
  /** Spend floor: a true-up line lifts the charge to it. For a whole period; prorated with it. */
  readonly minimum?: Decimal | undefined
  /** Spend ceiling: a savings line brings the charge down to it. For a whole period; prorated with it. */
  readonly maximum?: Decimal | undefined
}

/** What a price of a quantity may have. */
export interface QuantityModifiers extends LimitModifiers {
  /** Units (of a percentage: value) that cost nothing; they come off the earliest events. */
  readonly freeUnits?: Decimal | undefined
}

/** What a price of single events may have: these need to know what each event costs. */
export interface EventModifiers extends QuantityModifiers {
  /** The first event of each combination of these properties is charged, the others are savings. */
  readonly dedupeBy?: readonly string[] | undefined
  /** Events that share a value of the property `per` together cost at most `amount`; the excess is savings. */
  readonly cap?: { readonly per: string; readonly amount: Decimal } | undefined
}

export interface PerUnitPrice extends EventModifiers {
  readonly model: 'per_unit'
  readonly unitPrice: Decimal
}

export interface VolumePrice extends QuantityModifiers {
  readonly model: 'volume'
  readonly tiers: readonly Tier[]
}

export interface GraduatedPrice extends QuantityModifiers {
  readonly model: 'graduated'
  readonly tiers: readonly Tier[]
}

export interface PackagePrice extends QuantityModifiers {
  readonly model: 'package'
  readonly packageSize: Decimal
  readonly packagePrice: Decimal
  /** A package that is only begun: charged (`up`, the default) or not (`down`). */
  readonly round?: 'up' | 'down' | undefined
}

export interface PercentagePrice extends EventModifiers {
  readonly model: 'percentage'
  /** Percent of the value: 2.9 is 2.9 %. */
  readonly rate: Decimal
  readonly fixedFee?: Decimal | undefined
  readonly minPerEvent?: Decimal | undefined
  readonly maxPerEvent?: Decimal | undefined
}

export interface GraduatedPercentagePrice extends QuantityModifiers {
  readonly model: 'graduated_percentage'
  readonly tiers: readonly RateTier[]
}

export interface DynamicPrice extends EventModifiers {
  readonly model: 'dynamic'
}

export interface FlatPrice extends LimitModifiers {
  readonly model: 'flat'
  readonly amount: Decimal
}

/** A price that can stand in a cell of a matrix: any but a matrix. */
export type CellPrice =
  | PerUnitPrice
  | VolumePrice
  | GraduatedPrice
  | PackagePrice
  | PercentagePrice
  | GraduatedPercentagePrice
  | DynamicPrice
  | FlatPrice

export interface MatrixCell {
  /** A value for every dimension. */
  readonly match: Readonly<Record<string, string>>
  readonly price: CellPrice
}

export interface MatrixPrice extends LimitModifiers {
  readonly model: 'matrix'
  readonly dimensions: readonly string[]
  readonly cells: readonly MatrixCell[]
  /** Prices each combination that no cell names. Without it such usage is listed and costs nothing. */
  readonly default?: CellPrice | undefined
}

/** A rule from quantity to amount. Pure data: exact decimals, no currency of its own. */
export type Price = CellPrice | MatrixPrice

/** Prices that know what each event costs, and so can drop repeats and cap by a property. */
export type EventPrice = PerUnitPrice | PercentagePrice | DynamicPrice
