import { useTestDatabase } from '@billtrail/embedded/testing'
import fc from 'fast-check'
import type { PoolClient } from 'pg'
import { findStored } from '../storing/find-stored.repo'
import { copyRows, eventsInto, makeMerging } from '../storing/store.repo'
import { until } from '../testing/slow-upload'
import { createStoredComparison } from './compare-stored'
import { createCsvReader } from './csv-reader'
import { encodeCopy } from './encode-copy'
import { encodeKeys } from './encode-keys'
import { createBatch, type EventBatch, lineOf } from './event-batch'
import { findGroups } from './find-groups'
import type { NameTable } from './name-table'
import { sortBatch } from './sort-batch'

const database = useTestDatabase()
const NOW = Date.UTC(2026, 10, 21)
const COLUMNS = 'customer_id,event_id,event_type,event_date,quantity,unit_price,b,aa,c'

const property = fc.constantFrom('', 'v', 'aa', 'é')
const row = fc.record({
  customer: fc.constantFrom('c1', 'c2', 'c3', 'c62', 'c64', 'c6400'),
  // Some are those of several customers.
  id: fc.oneof(
    fc.uuid({ version: 4 }),
    fc.stringMatching(/^[a-z]{1,8}$/),
    fc.constantFrom('x', 'y', 'z'),
  ),
  cells: fc.record({
    type: fc.constantFrom('e1', 'e2'),
    date: fc.integer({ min: 0, max: NOW }).map((millis) => new Date(millis).toISOString()),
    quantity: fc.constantFrom('', '0', '-1.50', '1000000.000001'),
    price: fc.constantFrom('', '0', '0.25'),
    b: property,
    aa: property,
    c: property,
  }),
  stored: fc.constantFrom('not', 'the same', 'type', 'date', 'quantity', 'price', 'b', 'aa'),
})
type Row = typeof row extends fc.Arbitrary<infer T> ? T : never
const rows = fc.uniqueArray(row, {
  minLength: 1,
  maxLength: 60,
  selector: ({ customer, id }) => `${customer} ${id}`,
})

const OTHER = {
  type: 'e3',
  date: '1999-12-31T23:59:59.999999Z',
  quantity: '7',
  price: '7',
  b: 'w',
  aa: '',
}

function fileOf(all: readonly Row[]): string {
  const lines = all.map(({ customer, id, cells }) => [customer, id, ...Object.values(cells)].join())
  return `${[COLUMNS, ...lines].join('\n')}\n`
}

/** What is stored: of the rows that are, the cell that `stored` names is another one. */
const storedOf = (all: readonly Row[]): Row[] =>
  all
    .filter(({ stored }) => stored !== 'not')
    .map((one) => ({
      ...one,
      cells: { ...one.cells, ...(one.stored in OTHER ? pickOther(one.stored) : {}) },
    }))
const pickOther = (cell: string) =>
  Object.fromEntries(Object.entries(OTHER).filter(([name]) => name === cell))

interface Sorted {
  readonly batch: EventBatch
  readonly order: Uint32Array
  readonly types: Int32Array
}

/** The names of these tests end in their numbers. */
function numberNames(names: NameTable): Int32Array {
  for (const { index, id } of names.unnumbered()) names.setNumber(index, Number(id.slice(1)))
  return names.numbers
}

function read(file: string): Sorted {
  const reader = createCsvReader({
    zone: 'UTC',
    now: NOW,
    onReject: ({ reason, raw }) => {
      throw new Error(`${reason}: ${raw.toString()}`)
    },
  })
  const batch = createBatch(100)
  reader.write(Buffer.from(file))
  reader.end()
  reader.fill(batch)
  const { order } = sortBatch(batch, numberNames(reader.customers))
  return { batch, order, types: numberNames(reader.eventTypes) }
}

/** What `findStored` brings for rows of a file when `stored` is there. */
async function bytesFor(client: PoolClient, { batch, order }: Sorted, stored: readonly Row[]) {
  const bytes: Buffer[] = []
  await client.query('begin')
  await makeMerging(client)
  if (stored.length > 0) {
    const there = read(fileOf(stored))
    const options = { eventTypeNumbers: there.types, uploadNo: 1 }
    await copyRows(client, eventsInto('events_1'), encodeCopy(there.batch, there.order, options))
  }
  // Group by group, the last one first: a table need not keep the order in which rows were copied into it.
  const starts = findGroups(batch, order)
  const groups = Array.from({ length: starts.length - 1 }, (_group, at) => [
    ...encodeKeys(batch, order, starts.subarray(at, at + 2)),
  ])
  await findStored(client, 'events', groups.toReversed().flat(), (chunk) =>
    bytes.push(Buffer.from(chunk)),
  )
  await client.query('rollback')
  return Buffer.concat(bytes)
}

async function withClient<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await database.pool().connect()
  try {
    return await work(client)
  } finally {
    client.release(true)
  }
}

test('rows are told by what is stored under their keys, however the bytes of that are cut', async () => {
  await withClient(async (client) => {
    const property = fc.asyncProperty(rows, fc.integer({ min: 1, max: 300 }), async (all, size) => {
      const sorted = read(fileOf(all))
      const { batch, order, types } = sorted
      const bytes = await bytesFor(client, sorted, storedOf(all))
      const comparison = createStoredComparison(batch, order, types)
      for (let at = 0; at < bytes.length; at += size) comparison.add(bytes.subarray(at, at + size))
      const { fresh, alike, unlike } = comparison.finish()

      const toldAs = (one: Row): string => {
        if (one.stored === 'not') return 'fresh'
        const there = storedOf([one])[0]!
        return fileOf([there]) === fileOf([one]) ? 'alike' : 'unlike'
      }
      const told = new Map<number, string>()
      for (const at of fresh) told.set(lineOf(batch, at), 'fresh')
      for (const at of alike) told.set(lineOf(batch, at), 'alike')
      for (const at of unlike) told.set(lineOf(batch, at), 'unlike')
      expect(all.map((_one, at) => told.get(at + 2))).toEqual(all.map(toldAs))
      expect(fresh.length + alike.length + unlike.length).toBe(all.length)
    })
    await fc.assert(property, { numRuns: 60, endOnFailure: true })
  })
})

const [A, B] = ['a', 'b'].map(
  (id): Row => ({
    customer: 'c1',
    id,
    cells: {
      type: 'e1',
      date: '2025-10-01T00:00:00Z',
      quantity: '',
      price: '',
      b: '',
      aa: 'v',
      c: 'aa',
    },
    stored: 'the same',
  }),
)

test('an answer that is cut short, or has rows that nobody asked for, is not taken for one', async () => {
  const sorted = read(fileOf([A!]))
  const { batch, order, types } = sorted
  const both = read(fileOf([A!, B!]))
  const bytes = await withClient((client) => bytesFor(client, sorted, [A!, B!]))
  const more = await withClient((client) => bytesFor(client, both, [A!, B!]))
  const outcomeOf = (answer: Buffer) => {
    const comparison = createStoredComparison(batch, order, types)
    comparison.add(answer)
    return comparison.finish().alike.length
  }
  expect(outcomeOf(bytes)).toBe(1)
  for (let size = 0; size < bytes.length; size++) {
    expect(() => outcomeOf(bytes.subarray(0, size))).toThrow(/as it was asked for/)
  }
  expect(() => outcomeOf(more)).toThrow(/as it was asked for/)
})

test('what a customer has stored under the ids of others, and does not send, is passed over', async () => {
  const sent = ['x', 'y', 'z'].flatMap((id) =>
    (['c1', 'c2', 'c3'] as const).map((customer): Row => ({ ...A!, customer, id })),
  )
  const sentOf = (keep: (row: Row) => boolean) => sent.filter(keep)
  const some = sentOf(({ customer, id }) => id !== 'y' || customer === 'c2')
  const sorted = read(fileOf(some))
  const bytes = await withClient((client) => bytesFor(client, sorted, sent))
  const comparison = createStoredComparison(sorted.batch, sorted.order, sorted.types)
  comparison.add(bytes)
  expect(comparison.finish()).toMatchObject({ alike: sorted.order, fresh: new Uint32Array(0) })
})

test('an answer that is out of order is not taken for one', async () => {
  const stored: Row[] = [A!, B!, { ...A!, customer: 'c2' }]
  const sorted = read(fileOf(stored))
  const { batch, order, types } = sorted
  const bytes = await withClient((client) => bytesFor(client, sorted, stored))
  const head = bytes.subarray(0, 19)
  const size = (bytes.length - 19 - 2) / 3
  const rowAt = (at: number) => bytes.subarray(19 + at * size, 19 + (at + 1) * size)
  const outcomeOf = (...places: number[]) => {
    const comparison = createStoredComparison(batch, order, types)
    comparison.add(Buffer.concat([head, ...places.map(rowAt), bytes.subarray(bytes.length - 2)]))
    return comparison.finish().alike.length
  }
  expect(outcomeOf(0, 1, 2)).toBe(3)
  for (const places of [
    [1, 0, 2],
    [2, 1, 0],
    [0, 2, 1],
    [0, 0, 1, 2],
  ]) {
    expect(() => outcomeOf(...places)).toThrow(/as it was asked for/)
  }
})

test('a look for what is stored fails when its connection is ended', async () => {
  const { batch, order } = read(fileOf([A!]))
  const keys = encodeKeys(batch, order, findGroups(batch, order))
  const owner = await database.pool().connect()
  try {
    await owner.query('begin; lock table events_1 in access exclusive mode')
    await withClient(async (client) => {
      client.on('error', () => undefined)
      await client.query('begin')
      await makeMerging(client)
      const found = findStored(client, 'events_1', keys, () => undefined)
      // Its failure is met below.
      found.catch(() => undefined)
      await until(async () => {
        const { rowCount } = await owner.query(
          `select pg_terminate_backend(pid) from pg_locks where not granted and relation = 'events_1'::regclass`,
        )
        return rowCount === 0 ? undefined : true
      })
      await expect(found).rejects.toThrow(/terminat/)
    })
    await owner.query('rollback')
  } finally {
    owner.release()
  }
})
