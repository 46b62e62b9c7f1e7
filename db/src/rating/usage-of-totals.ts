import {
  type Charge,
  decimal,
  decimalFromInteger,
  type Decimal,
  type Meter,
  type RatedUsage,
  readsOwnPrice,
  usageNeeds,
  ZERO,
} from '@billtrail/domain'
import type { UsageTotals } from './read-months'

/**
 * What one charge's meter makes of totals by event type, or undefined where it has to look into single events: sums and
 * counts of all events or of one type are what totals hold. Events with their own price never count here: they are
 * priced by it.
 */
export function usageOfTotals(
  { price }: Charge,
  meter: Meter,
  usage: UsageTotals,
): RatedUsage | undefined {
  const { aggregation, eventType } = meter
  const { detail, dimensions } = usageNeeds(price)
  if (!isPlain(meter) || (aggregation !== 'sum' && aggregation !== 'count')) return undefined
  if (detail !== 'quantity' || dimensions.length > 0 || readsOwnPrice(price)) return undefined
  let quantity: Decimal | undefined
  for (const type of usage.types) {
    if (eventType !== null && type.eventType !== eventType) continue
    const more = aggregation === 'sum' ? decimal(type.quantity) : decimalFromInteger(type.events)
    quantity = quantity?.plus(more) ?? more
  }
  return { quantity: quantity ?? ZERO }
}

// A count looks at no property, whichever it names.
const isPlain = (meter: Meter): boolean =>
  (meter.property === null || meter.aggregation === 'count') &&
  meter.filters.length === 0 &&
  meter.groupBy.length === 0
