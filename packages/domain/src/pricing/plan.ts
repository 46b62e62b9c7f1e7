import { decimal } from '../decimal'
import type { Meter } from '../meters/meter'
import type { Price } from './price'

/** A meter and a price: one thing a plan charges for. */
export interface Charge {
  /** Unique in the plan version; `own_price` is taken. */
  readonly id: string
  /** As it stands on the invoice. */
  readonly name: string
  /** The code of the meter; a flat charge needs none. */
  readonly meter: string | null
  readonly price: Price
  /** Flat amounts, minimum and maximum by days in a partial month; true unless said otherwise. */
  readonly prorate?: boolean | undefined
}

export interface PlanVersion {
  /** ISO 4217. */
  readonly currency: string
  readonly charges: readonly Charge[]
  /** Where a month is split, tiers go on from the part before instead of starting anew; false unless said otherwise. */
  readonly carryTiers?: boolean | undefined
}

/** The id of the line for events that carry their own unit price and that no charge of the plan takes. */
export const OWN_PRICE_CHARGE_ID = 'own_price'

/** The meter of the plan a new organization starts with: the sum of quantities over all event types. */
export function standardMeter(): Meter {
  return {
    code: 'usage',
    eventType: null,
    aggregation: 'sum',
    property: null,
    filters: [],
    groupBy: [],
  }
}

/** The charges of the plan a new organization starts with, in USD: volume tiers over all usage. */
export function standardCharges(): readonly Charge[] {
  return [
    {
      id: 'usage',
      name: 'Usage',
      meter: 'usage',
      price: {
        model: 'volume',
        tiers: [
          { upTo: decimal('10'), unitPrice: decimal('5.00') },
          { upTo: decimal('20'), unitPrice: decimal('4.00') },
          { upTo: null, unitPrice: decimal('3.00') },
        ],
      },
    },
  ]
}
