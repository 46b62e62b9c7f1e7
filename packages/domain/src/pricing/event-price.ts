import { type Decimal, decimalFromInteger, sum, ZERO } from '../decimal'
import { capSavings } from './cap'
import { splitRepeats } from './dedupe'
import { rateDynamic } from './dynamic'
import { type BilledEvent, freeUnitsLeft, spreadFreeUnits } from './free-units'
import { countText } from './line-text'
import { percentageOfEvent, ratePercentage } from './percentage'
import { ratePerUnit } from './per-unit'
import type { EventPrice } from './price'
import { negateLines, type RatedLine, sumOfLines } from './rated-line'
import type { GroupUsage, RatedEvent } from './rated-usage'

/**
 * Rates usage event by event: repeats are set aside, free units come off the earliest of the rest, each event
 * is priced, and the cap takes off what is too much per property value.
 *
 * The usage lines show everything that happened, the repeats too; savings lines take off what is not charged.
 */
export function rateEvents(price: EventPrice, usage: GroupUsage, currency: string): RatedLine[] {
  const { charged, repeats } = splitRepeats(eventsOf(usage), price.dedupeBy)
  // A credit is what the same usage would cost, negated.
  const credit = sum(charged.map((event) => event.quantity)).lt(ZERO)
  const sign = (event: RatedEvent) => (credit ? negated(event) : event)

  const freeUnits = freeUnitsLeft(price.freeUnits, credit ? undefined : usage.carriedIn)
  const { billed, lines: freeLines } = spreadFreeUnits(charged.map(sign), freeUnits)
  const repeated = repeats.map(sign).map((event) => ({ event, units: event.quantity, free: false }))
  const lines = [
    ...rateModel(price, [...billed, ...repeated], currency),
    ...freeLines,
    ...repeatSavings(price, repeated, currency),
    ...(price.cap === undefined
      ? []
      : capSavings(
          billed.map((one) => ({ event: one.event, amount: amountOf(price, one) })),
          price.cap,
          currency,
        )),
  ]
  return credit ? negateLines(lines) : lines
}

/** The earliest first, when every event has a date; else in the order given. Slices and a bare quantity are events. */
function eventsOf({ events, slices, quantity }: GroupUsage): readonly RatedEvent[] {
  if (events === undefined) return slices ?? (quantity.eq(ZERO) ? [] : [{ quantity }])
  if (events.some((event) => event.eventDate === undefined)) return events
  return [...events].sort((a, b) => (a.eventDate ?? 0) - (b.eventDate ?? 0))
}

function negated(event: RatedEvent): RatedEvent {
  return { ...event, quantity: event.quantity.neg() }
}

function rateModel(
  price: EventPrice,
  billed: readonly BilledEvent[],
  currency: string,
): RatedLine[] {
  switch (price.model) {
    case 'per_unit':
      return ratePerUnit(price, sum(billed.map((one) => one.units)), currency)
    case 'percentage':
      return ratePercentage(price, billed, currency)
    case 'dynamic':
      return rateDynamic(billed, currency)
  }
}

function amountOf(price: EventPrice, billed: BilledEvent): Decimal {
  switch (price.model) {
    case 'per_unit':
      return billed.units.times(price.unitPrice)
    case 'percentage':
      return percentageOfEvent(price, billed)
    case 'dynamic':
      return billed.units.times(billed.event.unitPrice ?? ZERO)
  }
}

function repeatSavings(
  price: EventPrice,
  repeated: readonly BilledEvent[],
  currency: string,
): RatedLine[] {
  if (repeated.length === 0) return []
  const count = countText(decimalFromInteger(repeated.length), 'repeated event')
  return [
    {
      kind: 'savings',
      description: `${count} not charged (same ${(price.dedupeBy ?? []).join(', ')})`,
      units: ZERO,
      unitPrice: null,
      flatFee: ZERO,
      amount: sumOfLines(rateModel(price, repeated, currency)).neg(),
      reason: 'repeated_event',
    },
  ]
}
