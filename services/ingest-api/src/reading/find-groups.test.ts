import fc from 'fast-check'
import { RUN_ROWS_MAX } from './encode-runs'
import { CUSTOMER_NUMBER, createBatch, ROW_WORDS } from './event-batch'
import { findGroups, GROUP_ROWS_MAX, NEIGHBOUR_BITS } from './find-groups'

/** The customers of each group, row by row, when the customers have so many rows each. */
function groupsOf(rowsOf: ReadonlyMap<number, number>): number[][] {
  const customers = [...rowsOf].sort(([a], [b]) => a - b).flatMap(([no, rows]) => repeat(no, rows))
  const batch = createBatch(Math.max(1, customers.length))
  customers.forEach((no, row) => (batch.words[ROW_WORDS * row + CUSTOMER_NUMBER] = no))
  const starts = findGroups(
    batch,
    Uint32Array.from(customers, (_no, row) => row),
  )
  expect(starts[0]).toBe(0)
  return Array.from(starts.subarray(1), (end, group) => customers.slice(starts[group], end))
}

const repeat = (no: number, rows: number): number[] => Array<number>(rows).fill(no)

test('customers with few rows are grouped with their neighbours, all rows of each', () => {
  const customers = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 2 ** 30 }))
  const rows = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 80 }))
  fc.assert(
    fc.property(fc.array(fc.tuple(customers, rows), { minLength: 1, maxLength: 60 }), (given) => {
      const rowsOf = new Map(given)
      const groups = groupsOf(rowsOf)
      const seen = new Set<number>()
      for (const [at, group] of groups.entries()) {
        const own = new Set(group)
        expect(own.size === 1 || group.length <= GROUP_ROWS_MAX).toBe(true)
        expect(new Set(group.map((no) => no >> NEIGHBOUR_BITS)).size).toBe(1)
        for (const no of own) {
          expect(seen.has(no)).toBe(false)
          seen.add(no)
        }
        // No two groups that could have been one.
        const next = groups[at + 1]
        if (!next || next[0]! >> NEIGHBOUR_BITS !== group[0]! >> NEIGHBOUR_BITS) continue
        expect(group.length + rowsOf.get(next[0]!)!).toBeGreaterThan(GROUP_ROWS_MAX)
      }
      expect(groups.flat()).toHaveLength([...rowsOf.values()].reduce((a, b) => a + b))
    }),
  )
})

test('a customer with very many rows has groups of a bounded size', () => {
  const groups = groupsOf(
    new Map([
      [1, 2],
      [2, 2 * RUN_ROWS_MAX + 1],
      [3, 2],
    ]),
  )
  expect(groups.map((group) => group.length)).toEqual([2, RUN_ROWS_MAX, RUN_ROWS_MAX, 1, 2])
})
