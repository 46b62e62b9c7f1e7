import { type Decimal, isZero, max, min, sum, ZERO } from '../decimal'
import { countText } from './line-text'
import type { RatedLine } from './rated-line'
import type { RatedEvent } from './rated-usage'

/** An event and what is left of it to pay for. */
export interface BilledEvent {
  readonly event: RatedEvent
  /** The units (or value) charged; what free units took is gone. */
  readonly units: Decimal
  /** Free units took all of it: it pays no per-event fee and no per-event minimum either. */
  readonly free: boolean
}

/** What of a quantity a model prices. */
export interface BillableUnits {
  readonly units: Decimal
  /** What of an earlier part of the period it priced already; undefined where everything starts anew. */
  readonly before?: Decimal | undefined
}

/** Takes free units off a quantity (not negative), as far as an earlier part of the period left any. */
export function takeFreeUnits(
  quantity: Decimal,
  freeUnits: Decimal | undefined,
  carriedIn: Decimal | undefined,
): { readonly billable: BillableUnits; readonly lines: readonly RatedLine[] } {
  if (freeUnits === undefined)
    return { billable: { units: quantity, before: carriedIn }, lines: [] }
  const taken = min(quantity, freeUnitsLeft(freeUnits, carriedIn) ?? ZERO)
  const before = carriedIn && max(carriedIn.minus(freeUnits), ZERO)
  return { billable: { units: quantity.minus(taken), before }, lines: freeUnitLines(taken) }
}

/** The free units that an earlier part of the period left. */
export function freeUnitsLeft(
  freeUnits: Decimal | undefined,
  carriedIn: Decimal | undefined,
): Decimal | undefined {
  return freeUnits && max(freeUnits.minus(max(carriedIn ?? ZERO, ZERO)), ZERO)
}

/**
 * Takes free units off the earliest events, in the order given.
 *
 * An event is charged for what it adds to the running total above the free units. So a correction gives
 * free units back, and the units charged always sum to the total above the free units, in any order.
 */
export function spreadFreeUnits(
  events: readonly RatedEvent[],
  freeUnits: Decimal | undefined,
): { readonly billed: readonly BilledEvent[]; readonly lines: readonly RatedLine[] } {
  if (freeUnits === undefined || isZero(freeUnits)) {
    return {
      billed: events.map((event) => ({ event, units: event.quantity, free: false })),
      lines: [],
    }
  }
  let total = ZERO
  let above = ZERO
  const billed = events.map((event) => {
    total = total.plus(event.quantity)
    const aboveNow = max(total.minus(freeUnits), ZERO)
    const units = aboveNow.minus(above)
    above = aboveNow
    return { event, units, free: units.eq(ZERO) && total.lte(freeUnits) }
  })
  const taken = sum(events.map((event) => event.quantity)).minus(above)
  return { billed, lines: freeUnitLines(taken) }
}

function freeUnitLines(taken: Decimal): RatedLine[] {
  if (isZero(taken)) return []
  return [
    {
      kind: 'free_units',
      description: `${countText(taken, 'unit')} free`,
      units: taken,
      unitPrice: ZERO,
      flatFee: ZERO,
      amount: ZERO,
      reason: 'free_units',
    },
  ]
}
