import { readAll } from './testing/read-all'

const KNOWN = 'customer_id,event_type,event_id,event_date'
const VALUES = 'acme,call,e1,2026-03-01T00:00:00Z'
const names = (count: number) => Array.from({ length: count }, (_name, at) => `p${at}`)
const next = 'acme,call,e2,2026-03-01T00:00:00Z'

/** One row with these properties as CSV, and one without any after it. */
const csv = (properties: Readonly<Record<string, string>>) => {
  const cells = Object.values(properties).map((value) => `"${value.replaceAll('"', '""')}"`)
  return readAll([
    [KNOWN, ...Object.keys(properties)].join(','),
    `\n${[VALUES, ...cells].join(',')}\n${next}${','.repeat(cells.length)}\n`,
  ])
}
const ndjson = (properties: Readonly<Record<string, string>>) => {
  const event = (event_id: string) => ({
    customer_id: 'acme',
    event_type: 'call',
    event_id,
    event_date: '2026-03-01T00:00:00Z',
  })
  const lines = [{ ...event('e1'), properties }, event('e2')].map((one) => JSON.stringify(one))
  return readAll([lines.join('\n')], { format: 'ndjson' })
}
const formats = [
  ['CSV', csv],
  ['NDJSON', ndjson],
] as const

const all = (count: number, value = 'x') =>
  Object.fromEntries(names(count).map((name) => [name, value]))

describe.each(formats)('%s', (_format, read) => {
  test('64 properties are read', () => {
    const { rows, rejects } = read(all(64))
    expect(rejects).toEqual([])
    expect(rows).toMatchObject([{ properties: all(64) }, { properties: null }])
  })

  test('65 properties are rejected, and the next row is read', () => {
    const { rows, rejects } = read(all(65))
    expect(rejects).toMatchObject([{ column: null, reason: 'too_many_properties' }])
    expect(rows).toMatchObject([{ eventId: 'e2' }])
  })

  test('a value of 8 KiB is read, however its bytes are written as JSON', () => {
    for (const unit of ['x', '"', '\\', '\u0001', '\n', 'é', '🎈']) {
      const note = unit.repeat(8192 / Buffer.byteLength(unit))
      expect(Buffer.byteLength(note)).toBe(8192)
      expect(read({ note }).rows).toMatchObject([{ properties: { note } }, { properties: null }])
    }
  })

  test('a value of one byte more is rejected by its column, and the next row is read', () => {
    const { rows, rejects } = read({ short: 'x', note: 'x'.repeat(8193) })
    expect(rejects).toMatchObject([{ column: 'note', reason: 'property_too_long' }])
    expect(rows).toMatchObject([{ eventId: 'e2' }])
  })

  test('64 values of 8 KiB fit into one row', () => {
    const properties = all(64, '"'.repeat(4096))
    expect(read(properties).rows).toMatchObject([{ properties }, { eventId: 'e2' }])
  })

  test('a value with a NUL, which the database cannot hold, is rejected by its column', () => {
    const { rows, rejects } = read({ short: 'x', note: 'a\0b' })
    expect(rejects).toMatchObject([{ column: 'note', reason: 'invalid_property' }])
    expect(rows).toMatchObject([{ eventId: 'e2' }])
  })
})

test('of more columns than 64 those count that are filled', () => {
  const { rows } = readAll([
    [KNOWN, ...names(150)].join(','),
    `\n${VALUES}${',x'.repeat(64)}${','.repeat(86)}\n${next}${','.repeat(86)}${',x'.repeat(64)}\n`,
  ])
  expect(rows).toHaveLength(2)
})

test('a NUL in an id, a type or a name is rejected by its column', () => {
  const header = `${KNOWN},customer_name`
  const cells = [...VALUES.split(','), 'Acme']
  const rejected = [0, 1, 2, 4].map((at) => {
    const row = cells.map((cell, cellAt) => (cellAt === at ? `${cell}\0x` : cell))
    const { rejects } = readAll([`${header}\n${row.join(',')}\n`])
    return rejects.map(({ column, reason }) => [column, reason])
  })
  expect(rejected).toEqual([
    [['customer_id', 'invalid_customer_id']],
    [['event_type', 'invalid_event_type']],
    [['event_id', 'invalid_event_id']],
    [['customer_name', 'invalid_customer_name']],
  ])
})
