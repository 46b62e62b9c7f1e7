import { decimal, dollarText, toPlain } from '@billtrail/domain'

/** One row of a billable file: what a customer (or a name) comes to in one currency. */
export interface BillableRow {
  readonly customerId: string
  readonly name: string | null
  /** Plain decimal text. */
  readonly quantity: string
  readonly amount: string
  /** ISO 4217. */
  readonly currency: string
}

const ALL_DIGITS = /^[0-9]+$/
const ID_WIDTH = 10
// What a reader of lines and tabs could take for one. CR LF is one line end.
const BREAKS_THE_ROW = /\r\n|[\t\n\v\f\r\u0085\u2028\u2029]/g

/**
 * The text of `billable_customers.txt`: a row for each customer and currency, ascending by id, numeric ids
 * first. Ends with a line feed; without rows it is empty.
 */
export function billableCustomersText(rows: readonly BillableRow[]): string {
  const keyed = rows.map((row) => ({ row, key: idKey(row.customerId) }))
  keyed.sort((a, b) => compareKeys(a.key, b.key) || compareTexts(a.row.currency, b.row.currency))
  return keyed.map(({ row }) => rowText(row)).join('')
}

function rowText(row: BillableRow): string {
  const { customerId: id, name, currency } = row
  const cells = [
    ALL_DIGITS.test(id) ? id.padStart(ID_WIDTH, '0') : id,
    name === null || name === '' ? id : name,
    toPlain(decimal(row.quantity)),
    dollarText(decimal(row.amount), currency),
  ]
  return `${cells.map((cell) => cell.replace(BREAKS_THE_ROW, ' ')).join('\t')}\n`
}

interface IdKey {
  readonly numeric: boolean
  /** Of a numeric id its digits without leading zeros; of another its UTF-8 bytes, one character each. */
  readonly text: string
  readonly id: string
}

/** Texts compare by UTF-16 units, which is not the order of their bytes; made of bytes, they do. */
function idKey(id: string): IdKey {
  const numeric = ALL_DIGITS.test(id)
  const text = numeric ? id.replace(/^0+/, '') : Buffer.from(id).toString('latin1')
  return { numeric, text, id }
}

function compareKeys(a: IdKey, b: IdKey): number {
  if (a.numeric !== b.numeric) return a.numeric ? -1 : 1
  const byLength = a.numeric ? a.text.length - b.text.length : 0
  return byLength || compareTexts(a.text, b.text) || compareTexts(a.id, b.id)
}

function compareTexts(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
