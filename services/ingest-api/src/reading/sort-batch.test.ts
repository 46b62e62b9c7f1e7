import fc from 'fast-check'
import { encodeCopy } from './encode-copy'
import {
  CUSTOMER,
  KEY,
  LINE,
  MICROS,
  ROW_FLOATS,
  ROW_WORDS,
  TAIL_END,
  createBatch,
} from './event-batch'
import { fileOrder, sortBatch } from './sort-batch'
import { readFields } from './testing/read-all'

interface Row {
  readonly customer: number
  readonly key: readonly [number, number, number, number]
}
// Few values for every word, so that keys share long beginnings and whole keys repeat.
const word = fc.constantFrom(0, 1, 0x80000000, 0xffffffff)
const key = fc.tuple(word, word, word, word)
const rows = fc.array(fc.record({ customer: fc.nat(3), key }), { maxLength: 200 })
const numbers = fc.constantFrom([0, 1, 2, 3], [5, 2, 9, 7], [2147483647, 0, 77, 1_000_000])

function batchOf(list: readonly Row[]) {
  const batch = createBatch(Math.max(1, list.length))
  for (const [row, { customer, key }] of list.entries()) {
    batch.words[ROW_WORDS * row + CUSTOMER] = customer
    batch.unsigned.set(key, ROW_WORDS * row + KEY)
    batch.words[ROW_WORDS * row + LINE] = row + 2
    batch.floats[ROW_FLOATS * row + MICROS] = 1.5e15 + row
    batch.words[ROW_WORDS * row + TAIL_END] = 26
  }
  batch.size = list.length
  return batch
}

test('rows are sorted by customer, key and place; of equal ones the first stays', () => {
  fc.assert(
    fc.property(rows, numbers, (list, numbers) => {
      const { order, again } = sortBatch(batchOf(list), Int32Array.from(numbers))
      const text = (row: number): string =>
        [numbers[list[row]!.customer]!, ...list[row]!.key]
          .map((n) => String(n).padStart(10, '0'))
          .join()
      const sorted = list
        .map((_, row) => row)
        .sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : a - b))
      const first = sorted.filter((row, i) => i === 0 || text(row) !== text(sorted[i - 1]!))
      expect([...order]).toEqual(first)
      expect([...again]).toEqual(sorted.filter((row) => !first.includes(row)))
    }),
    { numRuns: 500 },
  )
})

test('keys that differ only in their last bits are still sorted, in runs of any length', () => {
  const list = Array.from(
    { length: 5000 },
    (_, i): Row => ({ customer: 0, key: [7, 7, 7, (i * 2654435761) >>> 0] }),
  )
  const { order, again } = sortBatch(batchOf(list), Int32Array.of(3))
  const last = Array.from(order, (row) => list[row]!.key[3])
  expect(last).toEqual([...last].sort((a, b) => a - b))
  expect(again).toHaveLength(0)
})

test('every row is encoded whole, also into buffers that are too small', () => {
  const batch = batchOf(
    Array.from({ length: 9 }, (_, i): Row => ({ customer: 0, key: [1, 2, 3, i] })),
  )
  const order = fileOrder(batch, Int32Array.of(42))
  for (const size of [10, 200, 100_000]) {
    const buffers = [
      ...encodeCopy(batch, order, {
        eventTypeNumbers: Int32Array.of(5),
        uploadNo: 6,
        takeBuffer: () => Buffer.alloc(size),
      }),
    ]
    const bytes = Buffer.concat(buffers)
    expect(bytes.length).toBe(9 * 92)
    const fields = readFields(bytes.subarray(8 * 92 + 2), 10)
    expect(fields.map((field) => field?.toString('hex') ?? null)).toEqual([
      '0000002a',
      '00000001000000020000000300000008',
      (BigInt(1.5e15 + 8) - 946_684_800_000_000n).toString(16).padStart(16, '0'),
      '00000005',
      '00000006',
      '0000000a',
      '00010000000000000001',
      null,
      null,
      null,
    ])
  }
})
