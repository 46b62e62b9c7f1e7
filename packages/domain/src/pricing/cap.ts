import { type Decimal, ZERO } from '../decimal'
import { priceText } from './line-text'
import type { EventModifiers } from './price'
import type { RatedLine } from './rated-line'
import type { RatedEvent } from './rated-usage'

/** Above so many capped values an invoice shows their sum, not each. */
const LINES_MAX = 100

/**
 * What a cap takes off: events that share a value of the property together cost at most the cap's amount.
 * Events without the property are not capped.
 */
export function capSavings(
  charges: readonly { readonly event: RatedEvent; readonly amount: Decimal }[],
  cap: NonNullable<EventModifiers['cap']>,
  currency: string,
): RatedLine[] {
  const spent = new Map<string, Decimal>()
  for (const { event, amount } of charges) {
    const value = event.properties?.[cap.per]
    if (value !== undefined) spent.set(value, (spent.get(value) ?? ZERO).plus(amount))
  }
  const over = [...spent]
    .filter(([, amount]) => amount.gt(cap.amount))
    .sort(([a], [b]) => (a < b ? -1 : 1))
  const limit = priceText(cap.amount, currency)
  const line = (description: string, amount: Decimal): RatedLine => ({
    kind: 'savings',
    description,
    units: ZERO,
    unitPrice: null,
    flatFee: ZERO,
    amount: amount.neg(),
    reason: 'cap',
  })
  if (over.length > LINES_MAX) {
    const saved = over.reduce((total, [, amount]) => total.plus(amount.minus(cap.amount)), ZERO)
    return [line(`${over.length} values of ${cap.per} capped at ${limit} each`, saved)]
  }
  return over.map(([value, amount]) => ({
    ...line(`${cap.per} ${value} capped at ${limit}`, amount.minus(cap.amount)),
    properties: { [cap.per]: value },
  }))
}
