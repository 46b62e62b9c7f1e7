import { type CellPrice, type Decimal, type Price, toPlain } from '@billtrail/domain'
import type { CellPriceJson, PriceJson } from './price.schema'

/** The JSON of a price, canonical: decimals without trailing zeros, fields that say nothing left out. */
export function priceJson(price: Price): PriceJson {
  if (price.model !== 'matrix') return cellPriceJson(price)
  const { model, dimensions, cells, default: otherwise, ...modifiers } = price
  return {
    model,
    dimensions: [...dimensions],
    cells: cells.map((cell) => ({ match: { ...cell.match }, price: cellPriceJson(cell.price) })),
    ...(otherwise === undefined ? {} : { default: cellPriceJson(otherwise) }),
    ...limitsJson(modifiers),
  }
}

function cellPriceJson(price: CellPrice): CellPriceJson {
  switch (price.model) {
    case 'per_unit':
      return { model: price.model, unit_price: toPlain(price.unitPrice), ...eventJson(price) }
    case 'volume':
    case 'graduated': {
      const tiers = price.tiers.map(({ upTo, unitPrice, flatFee }) => ({
        up_to: upTo === null ? null : toPlain(upTo),
        unit_price: toPlain(unitPrice),
        ...field('flat_fee', flatFee),
      }))
      return { model: price.model, tiers, ...quantityJson(price) }
    }
    case 'package':
      return {
        model: price.model,
        package_size: toPlain(price.packageSize),
        package_price: toPlain(price.packagePrice),
        ...(price.round === undefined ? {} : { round: price.round }),
        ...quantityJson(price),
      }
    case 'percentage':
      return {
        model: price.model,
        rate: toPlain(price.rate),
        ...field('fixed_fee', price.fixedFee),
        ...field('min_per_event', price.minPerEvent),
        ...field('max_per_event', price.maxPerEvent),
        ...eventJson(price),
      }
    case 'graduated_percentage': {
      const tiers = price.tiers.map(({ upTo, rate, flatFee }) => ({
        up_to: upTo === null ? null : toPlain(upTo),
        rate: toPlain(rate),
        ...field('flat_fee', flatFee),
      }))
      return { model: price.model, tiers, ...quantityJson(price) }
    }
    case 'dynamic':
      return { model: price.model, ...eventJson(price) }
    case 'flat':
      return { model: price.model, amount: toPlain(price.amount), ...limitsJson(price) }
  }
}

type Limits = Pick<Price, 'discountPercent' | 'minimum' | 'maximum'>
type Quantities = Limits & { readonly freeUnits?: Decimal | undefined }
type Events = Quantities & Pick<Extract<Price, { model: 'dynamic' }>, 'dedupeBy' | 'cap'>

function limitsJson(price: Limits) {
  return {
    ...field('discount_percent', price.discountPercent),
    ...field('minimum', price.minimum),
    ...field('maximum', price.maximum),
  }
}

function quantityJson(price: Quantities) {
  return { ...limitsJson(price), ...field('free_units', price.freeUnits) }
}

function eventJson(price: Events) {
  const { dedupeBy, cap } = price
  return {
    ...quantityJson(price),
    ...(dedupeBy === undefined ? {} : { dedupe_by: [...dedupeBy] }),
    ...(cap === undefined ? {} : { cap: { per: cap.per, amount: toPlain(cap.amount) } }),
  }
}

function field<Name extends string>(
  name: Name,
  value: Decimal | undefined,
): Partial<Record<Name, string>> {
  if (value === undefined) return {}
  return { [name]: toPlain(value) } as Record<Name, string>
}
