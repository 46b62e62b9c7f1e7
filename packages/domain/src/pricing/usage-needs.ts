import type { Meter } from '../meters/meter'
import type { Price } from './price'

/** What a price has to be fed with; what is needed less is aggregated by the database. */
export interface UsageNeeds {
  /** The quantity alone; the quantity by own unit price; or every single event. */
  readonly detail: 'quantity' | 'slices' | 'events'
  /** Properties whose values the quantity must be grouped by (the dimensions of a matrix). */
  readonly dimensions: readonly string[]
  /** Events' properties the price looks at. */
  readonly properties: readonly string[]
}

const DETAIL = ['quantity', 'slices', 'events'] as const

/** They depend on nothing else, and a price is asked each time that usage is rated by it. */
const known = new WeakMap<Price, UsageNeeds>()

/** What the price has to be fed with so that nothing it looks at is lost. */
export function usageNeeds(price: Price): UsageNeeds {
  let needs = known.get(price)
  if (needs === undefined) {
    needs = findNeeds(price)
    known.set(price, needs)
  }
  return needs
}

function findNeeds(price: Price): UsageNeeds {
  if (price.model !== 'matrix') {
    const detail = detailOf(price)
    return { detail, dimensions: [], properties: eventProperties(price) }
  }
  const inner = [
    ...price.cells.map((cell) => cell.price),
    ...(price.default ? [price.default] : []),
  ]
  const needs = inner.map(usageNeeds)
  const detail = Math.max(0, ...needs.map((need) => DETAIL.indexOf(need.detail)))
  const properties = [...price.dimensions, ...needs.flatMap((need) => need.properties)]
  return {
    detail: DETAIL[detail] ?? 'events',
    dimensions: price.dimensions,
    properties: [...new Set(properties)],
  }
}

/** The meter of a charge: a matrix needs the quantity by its dimensions as well, whatever the meter groups by. */
export function meterFor(meter: Meter, price: Price): Meter {
  const { dimensions } = usageNeeds(price)
  if (dimensions.length === 0) return meter
  return { ...meter, groupBy: [...new Set([...meter.groupBy, ...dimensions])] }
}

/** Does the price look at events' own unit prices? Only then do such events count for the charge. */
export function readsOwnPrice(price: Price): boolean {
  if (price.model === 'dynamic') return true
  if (price.model !== 'matrix') return false
  return (
    price.cells.some((cell) => cell.price.model === 'dynamic') || price.default?.model === 'dynamic'
  )
}

function detailOf(price: Exclude<Price, { model: 'matrix' }>): UsageNeeds['detail'] {
  if (price.model === 'flat') return 'quantity'
  const byEvent = 'dedupeBy' in price && price.dedupeBy !== undefined
  const capped = 'cap' in price && price.cap !== undefined
  if (byEvent || capped) return 'events'
  if (price.model === 'dynamic') return price.freeUnits === undefined ? 'slices' : 'events'
  if (price.model !== 'percentage') return 'quantity'
  const perEvent = [price.fixedFee, price.minPerEvent, price.maxPerEvent]
  return perEvent.every((amount) => amount === undefined) ? 'quantity' : 'events'
}

function eventProperties(price: Price): readonly string[] {
  const dedupeBy = 'dedupeBy' in price ? (price.dedupeBy ?? []) : []
  const cap = 'cap' in price && price.cap ? [price.cap.per] : []
  return [...new Set([...dedupeBy, ...cap])]
}
