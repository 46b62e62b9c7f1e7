import { type Decimal, sum, toPlain, ZERO } from '../decimal'
import type { BilledEvent } from './free-units'
import { countText, priceText } from './line-text'
import type { RatedLine } from './rated-line'

/** With more prices than this an invoice shows one line for all; the events show each. */
const LINES_MAX = 100

/**
 * Dynamic: each event's quantity at the event's own unit price, one line for each price, the lowest first.
 *
 * Rating single events and rating their sums by unit price give the same lines. An event without a price of its
 * own costs nothing and is shown as such.
 */
export function rateDynamic(billed: readonly BilledEvent[], currency: string): RatedLine[] {
  const byPrice = new Map<string, { unitPrice: Decimal; units: Decimal }>()
  const withoutPrice: Decimal[] = []
  for (const { event, units } of billed) {
    if (event.unitPrice === undefined) {
      withoutPrice.push(units)
      continue
    }
    const key = toPlain(event.unitPrice)
    const slice = byPrice.get(key)
    if (slice) slice.units = slice.units.plus(units)
    else byPrice.set(key, { unitPrice: event.unitPrice, units })
  }
  const slices = [...byPrice.values()]
    .filter(({ units }) => !units.eq(ZERO))
    .sort((a, b) => a.unitPrice.cmp(b.unitPrice))
  return [...pricedLines(slices, currency), ...unpricedLines(sum(withoutPrice))]
}

function pricedLines(
  slices: readonly { unitPrice: Decimal; units: Decimal }[],
  currency: string,
): RatedLine[] {
  if (slices.length > LINES_MAX) {
    const units = sum(slices.map((slice) => slice.units))
    return [
      {
        kind: 'usage',
        description: `${countText(units, 'unit')} at ${slices.length} different prices`,
        units,
        unitPrice: null,
        flatFee: ZERO,
        amount: sum(slices.map((slice) => slice.units.times(slice.unitPrice))),
      },
    ]
  }
  return slices.map(({ units, unitPrice }) => ({
    kind: 'usage',
    description: `${countText(units, 'unit')} at ${priceText(unitPrice, currency)}`,
    units,
    unitPrice,
    flatFee: ZERO,
    amount: units.times(unitPrice),
  }))
}

function unpricedLines(units: Decimal): RatedLine[] {
  if (units.eq(ZERO)) return []
  return [
    {
      kind: 'unpriced',
      description: `${countText(units, 'unit')} without a price of their own`,
      units,
      unitPrice: null,
      flatFee: ZERO,
      amount: ZERO,
      reason: 'no_unit_price',
    },
  ]
}
