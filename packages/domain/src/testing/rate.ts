import { type Decimal, decimal, toPlain } from '../decimal'
import type { Price } from '../pricing/price'
import { ratePrice } from '../pricing/rate-price'
import type { RatedEvent, RatedUsage } from '../pricing/rated-usage'
import type { Tier } from '../pricing/tiers'

/** What so many units cost by a price, unrounded, as plain text. */
export function costOf(price: Price, units: string): string {
  return toPlain(amountOf(price, { quantity: decimal(units) }))
}

/** What usage costs by a price in USD, unrounded. */
export function amountOf(price: Price, usage: RatedUsage): Decimal {
  return ratePrice(price, usage, { currency: 'USD' }).amount
}

/** `['10', '5.00']` or `['10', '5.00', '2']`: bound, unit price and flat fee; no bound: open. */
export function tiersOf(...rows: readonly (readonly [string | null, string, string?])[]): Tier[] {
  return rows.map(([upTo, unitPrice, flatFee]) => ({
    upTo: upTo === null ? null : decimal(upTo),
    unitPrice: decimal(unitPrice),
    flatFee: flatFee === undefined ? undefined : decimal(flatFee),
  }))
}

/** Usage of events, each given as quantity and, if any, unit price and properties. */
export function usageOf(
  ...rows: readonly (readonly [string, (string | null)?, Record<string, string>?])[]
): RatedUsage {
  const events = rows.map(([quantity, unitPrice = null, properties]): RatedEvent => {
    return {
      quantity: decimal(quantity),
      unitPrice: unitPrice === null ? undefined : decimal(unitPrice),
      properties,
    }
  })
  return {
    quantity: events.reduce((total, event) => total.plus(event.quantity), decimal('0')),
    events,
  }
}
