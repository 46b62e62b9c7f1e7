import { neutraliseFormula } from '@billtrail/domain'
import { writeToString } from 'fast-csv'
import type { Invoice } from './invoices.repo'

const HEADER = [
  'invoice_number',
  'customer_id',
  'period',
  'currency',
  'line',
  'sub_line',
  'charge_id',
  'description',
  'quantity',
  'unit_price',
  'flat_fee',
  'amount',
]

/**
 * The lines of an invoice as CSV: a row for each line and each tax on them, whose amounts sum to the total, and below it
 * rows for its arithmetic, numbered in `sub_line`; a tax that the lines hold already is numbered there too. Text that a spreadsheet would run is neutralised.
 */
export function invoiceCsv(invoice: Invoice): Promise<string> {
  const document = [
    neutraliseFormula(invoice.number ?? ''),
    neutraliseFormula(invoice.customerId),
    invoice.period,
    invoice.currency,
  ]
  const rows = invoice.lines.flatMap((line, at) => {
    const place = [...document, String(at + 1)]
    const text = [line.charge_id, line.description].map(neutraliseFormula)
    return [
      [...place, '', ...text, line.quantity, '', '', line.amount],
      ...line.sub_line_items.map((step, position) => [
        ...place,
        String(position + 1),
        neutraliseFormula(line.charge_id),
        neutraliseFormula(step.description),
        step.units,
        step.unit_price ?? '',
        step.flat_fee,
        step.amount,
      ]),
    ]
  })
  const taxes = invoice.taxes.map((tax, at) => [
    ...document,
    String(invoice.lines.length + at + 1),
    // What the lines hold already is shown below, as arithmetic is.
    tax.inclusive ? '1' : '',
    'tax',
    neutraliseFormula(`${tax.name} ${tax.percent} %`),
    tax.base,
    '',
    '',
    tax.amount,
  ])
  return writeToString([HEADER, ...rows, ...taxes], { includeEndRowDelimiter: true })
}
