import { ratedLineJson, type RatedLineJson } from '@billtrail/contracts'
import { moneyText, type RatedBill, toPlain } from '@billtrail/domain'

/** A line of a bill or an invoice. `amount` is rounded to the currency, `unrounded_amount` is what it was before. */
export interface LineItem {
  readonly charge_id: string
  readonly kind: 'charge' | 'true_up' | 'savings'
  readonly description: string
  readonly quantity: string
  readonly unrounded_amount: string
  readonly amount: string
  readonly group_properties?: Readonly<Record<string, string>>
  readonly sub_line_items: readonly RatedLineJson[]
}

/** The lines of a rated bill in the form they are stored in with the bill and answered on the invoice. */
export function lineItemsOf(bill: RatedBill): LineItem[] {
  return bill.lines.map((line) => ({
    charge_id: line.chargeId,
    kind: line.kind,
    description: line.description,
    quantity: toPlain(line.quantity),
    unrounded_amount: toPlain(line.unroundedAmount),
    amount: moneyText(line.amount, bill.currency),
    ...(line.groupProperties === undefined ? {} : { group_properties: line.groupProperties }),
    sub_line_items: line.subLines.map(ratedLineJson),
  }))
}

/** A tax on the sum of a bill's lines. An inclusive one is in them already; the others are added to the total. */
export interface TaxItem {
  readonly name: string
  readonly percent: string
  readonly inclusive: boolean
  readonly base: string
  readonly amount: string
}

/** The taxes of a rated bill in the form they are stored in with the bill and answered on the invoice. */
export function taxItemsOf(bill: RatedBill): TaxItem[] {
  return bill.taxLines.map((tax) => ({
    name: tax.name,
    percent: toPlain(tax.ratePercent),
    inclusive: tax.inclusive,
    base: moneyText(tax.base, bill.currency),
    amount: moneyText(tax.amount, bill.currency),
  }))
}
