import { CUSTOMER_NUMBER, type EventBatch, ROW_WORDS } from './event-batch'
import { RUN_ROWS_MAX } from './encode-runs'

/** Customers are neighbours when their numbers differ in no more than this many last bits. */
export const NEIGHBOUR_BITS = 6
/** A group of several customers has no more rows: where they have much stored, each key is looked for under each of them. */
export const GROUP_ROWS_MAX = 8

/**
 * Where in `order` each group begins, and its end: group `i` is `order[starts[i] .. starts[i + 1])`. A group is one
 * customer's rows, up to `RUN_ROWS_MAX`, or all the rows of several neighbours that have few.
 */
export function findGroups({ words }: EventBatch, order: Uint32Array): Uint32Array {
  const customerAt = (place: number): number => words[ROW_WORDS * order[place]! + CUSTOMER_NUMBER]!
  const starts: number[] = []
  let start = 0
  let neighbours = -1
  for (let from = 0, to = 0; from < order.length; from = to) {
    const customer = customerAt(from)
    while (to < order.length && customerAt(to) === customer) to++
    if (customer >> NEIGHBOUR_BITS === neighbours && to - start <= GROUP_ROWS_MAX) continue
    start = from
    neighbours = customer >> NEIGHBOUR_BITS
    for (let at = from; at < to; at += RUN_ROWS_MAX) starts.push(at)
  }
  starts.push(order.length)
  return Uint32Array.from(starts)
}
