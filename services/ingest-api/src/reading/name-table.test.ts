import { createNameTable, type NameTable } from './name-table'
import { readAll } from './testing/read-all'

function intern(table: NameTable, text: string): number {
  const bytes = Buffer.from(`<${text}>`)
  return table.intern(bytes, 1, bytes.length - 1)
}

test('a name keeps its index however many others come, and gives its text back', () => {
  const table = createNameTable()
  const names = Array.from({ length: 5_000 }, (_name, at) => `customer-${at % 2_500}-é`)
  const indexes = names.map((name) => intern(table, name))
  expect(table.size).toBe(2_500)
  expect(indexes.slice(2_500)).toEqual(indexes.slice(0, 2_500))
  expect(indexes.map((index) => table.text(index))).toEqual(names)
})

test('names without a number are handed out until they have one', () => {
  const table = createNameTable()
  for (const name of ['a', 'b', 'c']) intern(table, name)
  table.describe(1, 'Bea')
  table.setNumber(0, 70)
  expect(table.unnumbered()).toEqual([
    { index: 1, id: 'b', name: 'Bea' },
    { index: 2, id: 'c', name: null },
  ])
  table.setNumber(1, 71)
  table.setNumber(2, 72)
  expect(table.unnumbered()).toEqual([])
  expect([...table.numbers.subarray(0, 4)]).toEqual([70, 71, 72, -1])
})

test('names wait to be handed out once each, also those that come after the table was forgotten', () => {
  const table = createNameTable({ names: 3, bytes: 1_000 })
  for (const name of ['b', 'c', 'a']) intern(table, name)
  expect(table.handOut(2)).toEqual({ from: 0, to: 2 })
  expect(table.waiting).toBe(1)
  expect(table.handOut(2)).toEqual({ from: 2, to: 3 })
  expect([...table.sorted(0, 3)]).toEqual([2, 0, 1])
  table.resetIfLarge(1)
  intern(table, 'd')
  expect(table.waiting).toBe(1)
  expect(table.handOut(2)).toEqual({ from: 0, to: 1 })
  expect(table.waiting).toBe(0)
})

test('a display name that comes after the number is handed over once, and the first one stays', () => {
  const table = createNameTable()
  for (const name of ['a', 'b']) intern(table, name)
  table.describe(0, 'Ann')
  table.setNumber(0, 70)
  table.setNumber(1, 71)
  expect([table.hasDescription(0), table.hasDescription(1)]).toEqual([true, false])
  expect(table.takeLateDescriptions()).toEqual([])

  table.describe(1, 'Bea')
  intern(table, 'c')
  table.describe(2, 'Cid')
  expect(table.hasDescription(1)).toBe(true)
  expect(table.takeLateDescriptions()).toEqual([{ id: 'b', name: 'Bea' }])
  expect(table.takeLateDescriptions()).toEqual([])
  expect(table.unnumbered()).toEqual([{ index: 2, id: 'c', name: 'Cid' }])
})

test('a display name that comes while a number is asked for is handed over once the number is set', () => {
  const table = createNameTable()
  for (const name of ['a', 'b']) intern(table, name)
  table.describe(0, 'Ann')
  table.handOut(2)
  table.describe(1, 'Bea')
  expect([table.description(0), table.description(1)]).toEqual(['Ann', null])
  expect(table.takeLateDescriptions()).toEqual([])
  table.setNumber(0, 70)
  table.setNumber(1, 71)
  expect(table.takeLateDescriptions()).toEqual([{ id: 'b', name: 'Bea' }])
  expect(table.takeLateDescriptions()).toEqual([])
})

test.each([
  ['names', { names: 3, bytes: 1_000 }],
  ['bytes', { names: 1_000, bytes: 6 }],
])('a table that holds its bound of %s is forgotten between batches, not before', (_, bounds) => {
  const table = createNameTable(bounds)
  for (const name of ['aa', 'bb']) intern(table, name)
  table.describe(0, 'Ann')
  table.resetIfLarge(1)
  expect(table.size).toBe(2)
  expect(intern(table, 'cc')).toBe(2)
  table.setNumber(0, 70)
  table.resetIfLarge(1)
  expect([table.size, table.numbers[0], table.hasDescription(0)]).toEqual([0, -1, false])
  expect(intern(table, 'cc')).toBe(0)
  expect(table.unnumbered()).toEqual([{ index: 0, id: 'cc', name: null }])
})

test('a table may hold more names for larger batches', () => {
  const table = createNameTable({ names: 2, bytes: 1_000 })
  for (const name of ['aa', 'bb', 'cc']) intern(table, name)
  table.resetIfLarge(2)
  expect(table.size).toBe(3)
  table.resetIfLarge(1)
  expect(table.size).toBe(0)
})

test('a file with more customers than a table holds reads as one with room for all', () => {
  const lines = Array.from(
    { length: 500 },
    (_line, at) => `customer-${at % 97},type-${at % 7},e${at},2026-03-01T00:00:00Z`,
  )
  const file = `customer_id,event_type,event_id,event_date\n${lines.join('\n')}\n`
  const small = { names: 5 / 11, bytes: 100 }
  const options = { customers: createNameTable(small), eventTypes: createNameTable(small) }
  const { rows } = readAll([file], { capacity: 11, ...options })
  expect(rows).toEqual(readAll([file]).rows)
  expect(rows).toHaveLength(500)
  // It was forgotten on the way: never more than the bound and one batch.
  expect(options.customers.size).toBeLessThan(5 + 11)
})
