import {
  type Charge,
  decimal,
  decimalFromInteger,
  type Decimal,
  type Meter,
  type RatedUsage,
  readsOwnPrice,
  sum,
  usageNeeds,
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
  const counted = usage.types.filter((type) => eventType === null || type.eventType === eventType)
  const quantityOf = (type: (typeof counted)[number]): Decimal =>
    aggregation === 'sum' ? decimal(type.quantity) : decimalFromInteger(type.events)
  return { quantity: sum(counted.map(quantityOf)) }
}

// A count looks at no property, whichever it names.
const isPlain = (meter: Meter): boolean =>
  (meter.property === null || meter.aggregation === 'count') &&
  meter.filters.length === 0 &&
  meter.groupBy.length === 0
