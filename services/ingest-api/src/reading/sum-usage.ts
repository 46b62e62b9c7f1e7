import { encodeDates, encodeIntegers, type RowsToEncode } from './encode-arrays'
import {
  CUSTOMER_NUMBER,
  DEFAULT_TAIL,
  EVENT_TYPE,
  MICROS,
  ROW_FLOATS,
  ROW_WORDS,
  TAIL_END,
  TAIL_START,
} from './event-batch'

/**
 * A sum of decimals is kept in groups of four digits, as PostgreSQL writes them, and put together at its end: each group is a whole
 * number far below 2^53 (of 30,000 products at most 2 × 10^13), so no sum is ever rounded. A decimal has at most 18
 * digits before the point and 12 behind it: groups from 4 down to -3.
 */
type Groups = number[]

const BASE = 10_000n
const GROUPS_BEHIND = 3
const GROUPS = 8
/** Behind the point, of a quantity; a product has twice as many. */
const DIGITS_BEHIND = 4 * GROUPS_BEHIND
const NUMERIC_HEADER_BYTES = 8
const NEGATIVE = 0x4000
/** A customer's sums are looked through for one of the same kind up to here: then another one is begun. */
const LOOKED_AT_MAX = 32

/** What events have in common that are added up. */
interface Kind {
  readonly customerNo: number
  readonly eventTypeNo: number
  readonly ownPrice: boolean
  /** Of events of the same one, the local month is the same in every zone; see `monthSpans`. */
  readonly span: number
}

/** Made by `sumUsage`, sent by `encodeMonths` or `encodeSums`. */
export interface UsageSum extends Kind {
  events: number
  /** Of those that say no quantity and have nothing else to say either. */
  ones: number
  quantity: Groups | null
  amount: Groups | null
  /** When one of them happened. */
  readonly micros: number
  /** The same customer's sum that was begun before. */
  readonly before: UsageSum | undefined
}

/** No zone has ever been further from UTC: Manila was, until 1844, 15:56 behind. */
const FURTHEST_MICROS = 16 * 3600e6

/**
 * Tells the month of instants (microseconds since 1970), as a negative number, where it is the same in every zone. Near
 * the turn of a month, where it is not, each instant is told by itself.
 */
function monthSpans(): (micros: number) => number {
  let from = 0
  let to = 0
  let month = 0
  return (micros) => {
    if (micros < from || micros >= to) {
      const date = new Date(Math.floor(micros / 1000))
      const [year, number] = [date.getUTCFullYear(), date.getUTCMonth()]
      from = Date.UTC(year, number) * 1000 + FURTHEST_MICROS
      to = Date.UTC(year, number + 1) * 1000 - FURTHEST_MICROS
      month = -(12 * year + number)
    }
    return micros >= from && micros < to ? month : micros
  }
}

/** No event happened before 1970: those that say so are refused when they are read. */
const isMonth = (span: number): boolean => span < 0

/** `YYYY-MM` of a span that is a month. */
function periodOf(span: number): string {
  const year = Math.floor(-span / 12)
  return `${year}-${String((-span % 12) + 1).padStart(2, '0')}`
}

/**
 * Arrays of: customer_no int4, event_type_no int4, own_price bool, quantity numeric, amount numeric (Σ quantity × unit_price, 0
 * without one), events int4, event_date timestamptz (of one of them).
 */
export const encodeSums = (sums: readonly UsageSum[]): (string | Buffer)[] => [
  customersOf(sums),
  typesOf(sums),
  ownPrices(sums),
  quantities(sums),
  amounts(sums),
  eventsOf(sums),
  encodeDates(sums.map(({ micros }) => micros)),
]

/**
 * The same where all are of months that are the same in every zone, and there is one sum of each kind; else undefined. In the
 * order of customer, month, event type and own price.
 *
 * Arrays of: customer_no int4, period text, event_type_no int4, own_price bool, quantity numeric, amount numeric, events int4;
 * and, for each customer and month once, of: customer_no int4, period text.
 */
export function encodeMonths(sums: readonly UsageSum[]): (string | Buffer)[] | undefined {
  if (!sums.every(({ span }) => isMonth(span))) return undefined
  const ordered = [...sums].sort(byKind)
  if (ordered.some((sum, at) => at > 0 && byKind(ordered[at - 1]!, sum) === 0)) return undefined
  const months = ordered.filter((sum, at) => {
    const before = ordered[at - 1]
    return before?.customerNo !== sum.customerNo || before.span !== sum.span
  })
  return [
    customersOf(ordered),
    periods(ordered),
    typesOf(ordered),
    ownPrices(ordered),
    quantities(ordered),
    amounts(ordered),
    eventsOf(ordered),
    customersOf(months),
    periods(months),
  ]
}

const byKind = (a: Kind, b: Kind): number =>
  a.customerNo - b.customerNo ||
  b.span - a.span ||
  a.eventTypeNo - b.eventTypeNo ||
  Number(a.ownPrice) - Number(b.ownPrice)

/**
 * Sums the usage of rows by customer, event type, whether they have their own price, and month, exactly. There may be several
 * sums of a kind. Which month it is, only the database knows, from the customer's zone: of all events of a sum it is the same.
 */
export function sumUsage(rows: readonly RowsToEncode[]): UsageSum[] {
  const sums: UsageSum[] = []
  const latest = new Map<number, UsageSum>()
  const spanOf = monthSpans()
  let sum: UsageSum | undefined
  for (const { batch, order, eventTypeNumbers } of rows) {
    const { words, floats, tails } = batch
    for (const row of order) {
      const at = ROW_WORDS * row
      const customerNo = words[at + CUSTOMER_NUMBER]!
      const eventTypeNo = eventTypeNumbers[words[at + EVENT_TYPE]!]!
      const isOne = words[at + TAIL_END] === DEFAULT_TAIL.length
      const quantityAt = words[at + TAIL_START]!
      const ownPrice = !isOne && tails.readInt32BE(afterField(tails, quantityAt)) >= 0
      const micros = floats[ROW_FLOATS * row + MICROS]!
      const kind = { customerNo, eventTypeNo, ownPrice, span: spanOf(micros) }
      if (sum === undefined || !isOf(sum, kind)) {
        const before = latest.get(customerNo)
        sum = findSum(before, kind)
        if (sum === undefined) {
          sum = newSum(kind, micros, before)
          sums.push(sum)
          latest.set(customerNo, sum)
        }
      }
      sum.events++
      if (isOne) sum.ones++
      else addTail(sum, tails, quantityAt)
    }
  }
  return sums
}

const isOf = (sum: UsageSum, kind: Kind): boolean =>
  sum.customerNo === kind.customerNo &&
  sum.eventTypeNo === kind.eventTypeNo &&
  sum.ownPrice === kind.ownPrice &&
  sum.span === kind.span

/** Among the latest sums of a customer. */
function findSum(latest: UsageSum | undefined, kind: Kind): UsageSum | undefined {
  let sum = latest
  for (let looked = 0; sum !== undefined && looked < LOOKED_AT_MAX; looked++) {
    if (isOf(sum, kind)) return sum
    sum = sum.before
  }
  return undefined
}

/** Field by field: copying an object as a whole takes V8 2 µs. */
const newSum = (kind: Kind, micros: number, before: UsageSum | undefined): UsageSum => ({
  customerNo: kind.customerNo,
  eventTypeNo: kind.eventTypeNo,
  ownPrice: kind.ownPrice,
  span: kind.span,
  events: 0,
  ones: 0,
  quantity: null,
  amount: null,
  micros,
  before,
})

const afterField = (tails: Buffer, at: number): number =>
  at + 4 + Math.max(0, tails.readInt32BE(at))

/** Adds the quantity at `quantityAt`, and its product with the price behind it. */
function addTail(sum: UsageSum, tails: Buffer, quantityAt: number): void {
  const quantity = readGroups(tails, quantityAt, quantityGroups)
  const total = (sum.quantity ??= new Array<number>(GROUPS).fill(0))
  for (let i = 0; i < GROUPS; i++) total[i]! += quantity[i]!
  if (!sum.ownPrice) return
  const price = readGroups(tails, afterField(tails, quantityAt), priceGroups)
  const amount = (sum.amount ??= new Array<number>(2 * GROUPS).fill(0))
  for (let i = 0; i < GROUPS; i++) {
    if (quantity[i] === 0) continue
    for (let j = 0; j < GROUPS; j++) amount[i + j]! += quantity[i]! * price[j]!
  }
}

const quantityGroups = new Float64Array(GROUPS)
const priceGroups = new Float64Array(GROUPS)

/** Reads a field as `writeNumeric` writes it into groups, those furthest behind the point first. */
function readGroups(tails: Buffer, at: number, groups: Float64Array): Float64Array {
  groups.fill(0)
  const count = tails.readUInt16BE(at + 4)
  const sign = tails.readUInt16BE(at + 8) === NEGATIVE ? -1 : 1
  const first = tails.readInt16BE(at + 6) + GROUPS_BEHIND
  if (first >= GROUPS || first - count + 1 < 0) throw new Error('A decimal is out of bounds.')
  for (let i = 0; i < count; i++) {
    groups[first - i] = sign * tails.readUInt16BE(at + 4 + NUMERIC_HEADER_BYTES + 2 * i)
  }
  return groups
}

/** A number as PostgreSQL reads it, exact: whole units of its last place. */
function decimalText(groups: Groups | null, ones: number, digitsBehind: number): string {
  if (groups === null) return String(ones)
  let units = 0n
  for (let i = groups.length - 1; i >= 0; i--) units = units * BASE + BigInt(groups[i]!)
  return `${units + BigInt(ones) * 10n ** BigInt(digitsBehind)}e-${digitsBehind}`
}

const list = (sums: readonly UsageSum[], of: (sum: UsageSum) => string): string =>
  `{${sums.map(of).join(',')}}`
const customersOf = (sums: readonly UsageSum[]) => encodeIntegers(sums.map((sum) => sum.customerNo))
const typesOf = (sums: readonly UsageSum[]) => encodeIntegers(sums.map((sum) => sum.eventTypeNo))
const eventsOf = (sums: readonly UsageSum[]) => encodeIntegers(sums.map((sum) => sum.events))
const ownPrices = (sums: readonly UsageSum[]) =>
  list(sums, ({ ownPrice }) => (ownPrice ? 't' : 'f'))
const quantities = (sums: readonly UsageSum[]) =>
  list(sums, ({ quantity, ones }) => decimalText(quantity, ones, DIGITS_BEHIND))
const amounts = (sums: readonly UsageSum[]) =>
  list(sums, ({ amount }) => decimalText(amount, 0, 2 * DIGITS_BEHIND))
const periods = (sums: readonly UsageSum[]) => list(sums, ({ span }) => periodOf(span))
