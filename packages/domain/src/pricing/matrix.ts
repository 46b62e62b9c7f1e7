import { sum, ZERO } from '../decimal'
import { countText, propertiesText } from './line-text'
import type { CellPrice, MatrixPrice } from './price'
import type { RatedLine } from './rated-line'
import type { GroupUsage, RatedUsage, UsageGroup } from './rated-usage'

/**
 * Matrix: each combination of the dimensions' values is priced by its own cell, or by the default; tiers and free
 * units are counted for each combination. A combination without a price is listed and costs nothing.
 *
 * Takes groups, else events, else the quantity alone (a combination without values). `rateCell` rates a cell's
 * price, which is a whole price with modifiers of its own.
 */
export function rateMatrix(
  price: MatrixPrice,
  usage: RatedUsage,
  rateCell: (price: CellPrice, usage: GroupUsage) => readonly RatedLine[],
): RatedLine[] {
  return combinationsOf(price.dimensions, usage).flatMap(({ properties, usage: part }) => {
    const cell = price.cells.find(({ match }) =>
      price.dimensions.every((name) => match[name] === properties[name]),
    )
    const cellPrice = cell?.price ?? price.default
    const lines = cellPrice === undefined ? unpricedLines(part) : rateCell(cellPrice, part)
    const name = propertiesText(properties, price.dimensions)
    return lines.map((line) => ({
      ...line,
      description: `${name}: ${line.description}`,
      properties: { ...properties, ...line.properties },
    }))
  })
}

/** Usage by the values of the dimensions, in the order of the values. */
function combinationsOf(dimensions: readonly string[], usage: RatedUsage): UsageGroup[] {
  const parts: readonly UsageGroup[] =
    usage.groups ??
    (usage.events === undefined
      ? [{ properties: {}, usage }]
      : usage.events.map((event) => ({
          properties: event.properties ?? {},
          usage: { quantity: event.quantity, events: [event] },
        })))
  const byKey = new Map<string, { properties: Record<string, string>; usages: GroupUsage[] }>()
  for (const part of parts) {
    const known = dimensions.filter((name) => part.properties[name] !== undefined)
    const properties = Object.fromEntries(known.map((name) => [name, part.properties[name] ?? '']))
    const key = JSON.stringify(dimensions.map((name) => properties[name] ?? null))
    const combination = byKey.get(key)
    if (combination) combination.usages.push(part.usage)
    else byKey.set(key, { properties, usages: [part.usage] })
  }
  return [...byKey]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { properties, usages }]) => ({ properties, usage: joinUsage(usages) }))
}

function joinUsage(usages: readonly GroupUsage[]): GroupUsage {
  return {
    quantity: sum(usages.map((usage) => usage.quantity)),
    events: joinAll(usages.map((usage) => usage.events)),
    slices: joinAll(usages.map((usage) => usage.slices)),
    carriedIn: usages.some((usage) => usage.carriedIn !== undefined)
      ? sum(usages.map((usage) => usage.carriedIn ?? ZERO))
      : undefined,
  }
}

/** All lists in one; undefined unless every part has its list. */
function joinAll<T>(lists: readonly (readonly T[] | undefined)[]): readonly T[] | undefined {
  if (lists.includes(undefined)) return undefined
  return lists.flatMap((list) => list ?? [])
}

function unpricedLines({ quantity }: GroupUsage): RatedLine[] {
  if (quantity.eq(ZERO)) return []
  return [
    {
      kind: 'unpriced',
      description: `${countText(quantity, 'unit')} that no cell prices`,
      units: quantity,
      unitPrice: null,
      flatFee: ZERO,
      amount: ZERO,
      reason: 'no_matching_cell',
    },
  ]
}
