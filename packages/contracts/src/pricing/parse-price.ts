import { decimal, type CellPrice, type Decimal, type Price as DomainPrice } from '@billtrail/domain'
import { fieldErrors, type FieldPath, invalidFields } from './field-errors'
import { type CellPriceJson, Price, type PriceJson } from './price.schema'

/**
 * Reads the JSON of a price. Throws DomainError invalid `invalid_price` with every fault by its path; `prefix` is
 * where the price stands in the body.
 */
export function parsePrice(json: unknown, prefix: FieldPath = []): DomainPrice {
  const result = Price.safeParse(json)
  if (!result.success) throw invalidFields('invalid_price', fieldErrors(result.error, prefix))
  return toPrice(result.data)
}

/** The price that checked JSON says. */
export function toPrice(json: PriceJson): DomainPrice {
  if (json.model !== 'matrix') return toCellPrice(json)
  return {
    model: 'matrix',
    dimensions: json.dimensions,
    cells: json.cells.map(({ match, price }) => ({ match, price: toCellPrice(price) })),
    default: json.default && toCellPrice(json.default),
    ...toLimits(json),
  }
}

function toCellPrice(json: CellPriceJson): CellPrice {
  switch (json.model) {
    case 'per_unit':
      return { model: json.model, unitPrice: decimal(json.unit_price), ...toEventModifiers(json) }
    case 'volume':
    case 'graduated': {
      const tiers = json.tiers.map((tier) => ({
        upTo: tier.up_to === null ? null : decimal(tier.up_to),
        unitPrice: decimal(tier.unit_price),
        flatFee: optional(tier.flat_fee),
      }))
      return { model: json.model, tiers, ...toQuantityModifiers(json) }
    }
    case 'package':
      return {
        model: json.model,
        packageSize: decimal(json.package_size),
        packagePrice: decimal(json.package_price),
        round: json.round,
        ...toQuantityModifiers(json),
      }
    case 'percentage':
      return {
        model: json.model,
        rate: decimal(json.rate),
        fixedFee: optional(json.fixed_fee),
        minPerEvent: optional(json.min_per_event),
        maxPerEvent: optional(json.max_per_event),
        ...toEventModifiers(json),
      }
    case 'graduated_percentage': {
      const tiers = json.tiers.map((tier) => ({
        upTo: tier.up_to === null ? null : decimal(tier.up_to),
        rate: decimal(tier.rate),
        flatFee: optional(tier.flat_fee),
      }))
      return { model: json.model, tiers, ...toQuantityModifiers(json) }
    }
    case 'dynamic':
      return { model: json.model, ...toEventModifiers(json) }
    case 'flat':
      return { model: json.model, amount: decimal(json.amount), ...toLimits(json) }
  }
}

interface LimitsJson {
  readonly discount_percent?: string | undefined
  readonly minimum?: string | undefined
  readonly maximum?: string | undefined
}

interface QuantityModifiersJson extends LimitsJson {
  readonly free_units?: string | undefined
}

interface EventModifiersJson extends QuantityModifiersJson {
  readonly dedupe_by?: readonly string[] | undefined
  readonly cap?: { readonly per: string; readonly amount: string } | undefined
}

function toLimits(json: LimitsJson) {
  return {
    discountPercent: optional(json.discount_percent),
    minimum: optional(json.minimum),
    maximum: optional(json.maximum),
  }
}

function toQuantityModifiers(json: QuantityModifiersJson) {
  return { ...toLimits(json), freeUnits: optional(json.free_units) }
}

function toEventModifiers(json: EventModifiersJson) {
  return {
    ...toQuantityModifiers(json),
    dedupeBy: json.dedupe_by,
    cap: json.cap && { per: json.cap.per, amount: decimal(json.cap.amount) },
  }
}

function optional(text: string | undefined): Decimal | undefined {
  return text === undefined ? undefined : decimal(text)
}
