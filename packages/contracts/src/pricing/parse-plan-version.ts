import {
  type Charge as DomainCharge,
  currencyExponent,
  type FieldError,
  type Meter,
  OWN_PRICE_CHARGE_ID,
  type PlanVersion,
  readsOwnPrice,
  usageNeeds,
} from '@billtrail/domain'
import { fieldErrors, type FieldPath, fieldText, invalidFields } from './field-errors'
import { toPrice } from './parse-price'
import { type ChargeJson, PlanVersionBody } from './plan-version.schema'
import type { PriceJson } from './price.schema'

interface Catalogue {
  /** ISO 4217. */
  readonly currency: string
  readonly meters: readonly Meter[]
}

/**
 * Reads the JSON of a plan version and makes sure that it can price everything it says it prices.
 *
 * Throws DomainError invalid `invalid_plan` with every fault by its path, `unknown_currency` for the currency.
 */
export function parsePlanVersion(json: unknown, { currency, meters }: Catalogue): PlanVersion {
  const exponent = currencyExponent(currency)
  const result = PlanVersionBody.safeParse(json)
  if (!result.success) throw invalidFields('invalid_plan', fieldErrors(result.error, []))

  const charges = toCharges(result.data.charges)
  const errors = result.data.charges.flatMap((charge, at) => {
    const path = ['charges', at]
    return [
      ...meterFaults({ charge, price: charges[at]?.price }, meters, path),
      ...exponentFaults(charge.price, { currency, exponent }, [...path, 'price']),
      ...idFaults(charges, at),
    ]
  })
  if (errors.length > 0) throw invalidFields('invalid_plan', errors)
  return { currency, charges, carryTiers: result.data.carry_tiers ?? false }
}

/** Gives charges without an id one: the meter's code where no other charge has it, else charge_1, charge_2, … */
function toCharges(charges: readonly ChargeJson[]): DomainCharge[] {
  const taken = new Set(charges.map((charge) => charge.id))
  return charges.map((charge, at) => {
    const { meter = null } = charge
    const free = meter !== null && !taken.has(meter) ? meter : `charge_${at + 1}`
    const id = charge.id ?? free
    taken.add(id)
    return {
      id,
      name: charge.name ?? id,
      meter,
      price: toPrice(charge.price),
      ...(charge.prorate === undefined ? {} : { prorate: charge.prorate }),
    }
  })
}

function idFaults(charges: readonly DomainCharge[], at: number): FieldError[] {
  const id = charges[at]?.id
  const field = fieldText(['charges', at, 'id'])
  if (id === OWN_PRICE_CHARGE_ID) {
    return [{ field, message: `${id} is the line of events with their own price: choose another` }]
  }
  const twice = charges.slice(0, at).some((charge) => charge.id === id)
  return twice ? [{ field, message: `An earlier charge has the id ${String(id)}` }] : []
}

/** The meter exists, and gives the price what it looks at. */
function meterFaults(
  { charge, price }: { charge: ChargeJson; price: DomainCharge['price'] | undefined },
  meters: readonly Meter[],
  path: FieldPath,
): FieldError[] {
  const field = fieldText([...path, 'meter'])
  if (charge.meter === undefined || charge.meter === null) {
    if (charge.price.model === 'flat') return []
    return [{ field, message: 'Only a flat charge does without a meter: name one' }]
  }
  const meter = meters.find(({ code }) => code === charge.meter)
  if (meter === undefined) return [{ field, message: `There is no meter ${charge.meter}` }]
  if (price === undefined || meter.aggregation === 'sum' || meter.aggregation === 'count') return []
  const byEvent = usageNeeds(price).detail !== 'quantity' || readsOwnPrice(price)
  if (!byEvent) return []
  const message = `The price looks at single events, which ${meter.aggregation} does not add up: use a sum or a count`
  return [{ field, message }]
}

/** Whole amounts must be payable: 9.999 USD and 0.5 JPY are not. Unit prices may be finer. */
function exponentFaults(
  price: PriceJson,
  money: { readonly currency: string; readonly exponent: number },
  path: FieldPath,
): FieldError[] {
  const check = (amount: string | undefined, ...at: FieldPath): FieldError[] => {
    const places = (amount?.split('.')[1] ?? '').replace(/0+$/, '').length
    if (places <= money.exponent) return []
    const message = `${money.currency} has ${money.exponent} decimal places: ${String(amount)} has ${places}`
    return [{ field: fieldText([...path, ...at]), message }]
  }
  const faults = [...check(price.minimum, 'minimum'), ...check(price.maximum, 'maximum')]
  if (price.model === 'flat') faults.push(...check(price.amount, 'amount'))
  if ('cap' in price) faults.push(...check(price.cap?.amount, 'cap', 'amount'))
  if ('tiers' in price) {
    price.tiers.forEach((tier, at) => {
      faults.push(...check(tier.flat_fee, 'tiers', at, 'flat_fee'))
    })
  }
  if (price.model === 'matrix') {
    price.cells.forEach((cell, at) => {
      faults.push(...exponentFaults(cell.price, money, [...path, 'cells', at, 'price']))
    })
    if (price.default) faults.push(...exponentFaults(price.default, money, [...path, 'default']))
  }
  return faults
}
