import { compare, type Decimal, isZero, max, min, ZERO } from '../decimal'

/**
 * Where a tier ends. It begins where the one before it ended, so a gap or an overlap can't be written
 * down: a tier holds (previous upTo, upTo], and the last one is open (null).
 */
interface Bound {
  readonly upTo: Decimal | null
  /** Charged once when the tier is entered; the first tier is entered at quantity 0. */
  readonly flatFee?: Decimal | undefined
}

export interface Tier extends Bound {
  readonly unitPrice: Decimal
}

/** A tier of a percentage: `rate` percent of the value that falls into it. */
export interface RateTier extends Bound {
  readonly rate: Decimal
}

/** The part of a quantity that falls into one tier; `from` is the bound below, not itself in the tier. */
export interface TierSlice<T> {
  readonly tier: T
  readonly from: Decimal
  readonly units: Decimal
  /** The tier's flat fee, where this quantity is what entered the tier; else 0. */
  readonly flatFee: Decimal
}

/**
 * The tier that prices a whole quantity (not negative), after so many units of an earlier part of the period; without
 * an earlier part that is undefined, not 0.
 */
export function tierOf<T extends Bound>(
  tiers: readonly T[],
  quantity: Decimal,
  before: Decimal | undefined,
): TierSlice<T> {
  const { tier, from } = holding(tiers, before === undefined ? quantity : quantity.plus(before))
  const entered = before === undefined || holding(tiers, before).tier !== tier
  return { tier, from, units: quantity, flatFee: entered ? (tier.flatFee ?? ZERO) : ZERO }
}

/**
 * The quantity (not negative) cut at the tiers' bounds: one slice for each tier it is in or enters, and the units
 * of the slices sum to it. Quantity 0 is in the first tier. `before` as in `tierOf`.
 */
export function sliceByTiers<T extends Bound>(
  tiers: readonly T[],
  quantity: Decimal,
  before: Decimal | undefined,
): TierSlice<T>[] {
  const start = before ?? ZERO
  const end = start.plus(quantity)
  const slices: TierSlice<T>[] = []
  let from = ZERO
  for (const tier of tiers) {
    const first = isZero(from)
    if (!first && compare(end, from) <= 0) return slices
    const to = tier.upTo === null ? end : min(tier.upTo, end)
    const units = max(to.minus(max(from, start)), ZERO)
    const entered = before === undefined || (!first && before.lte(from))
    if (entered || !isZero(units)) {
      slices.push({ tier, from, units, flatFee: entered ? (tier.flatFee ?? ZERO) : ZERO })
    }
    if (tier.upTo === null) return slices
    from = tier.upTo
  }
  if (end.gt(from)) throw noOpenTier()
  return slices
}

function holding<T extends Bound>(
  tiers: readonly T[],
  quantity: Decimal,
): { tier: T; from: Decimal } {
  let from = ZERO
  for (const tier of tiers) {
    if (tier.upTo === null || compare(quantity, tier.upTo) <= 0) return { tier, from }
    from = tier.upTo
  }
  throw noOpenTier()
}

function noOpenTier(): RangeError {
  return new RangeError('The last tier is not open: a price like this cannot be saved.')
}
