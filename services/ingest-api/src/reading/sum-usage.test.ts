import { decimal, isFault, ONE, parseDecimalText, sum, toPlain, ZERO } from '@billtrail/domain'
import fc from 'fast-check'
import { createEventAppender } from './append-event'
import { createBatch } from './event-batch'
import { eventFromJson } from './event-from-json'
import { sortBatch } from './sort-batch'
import { encodeMonths, encodeSums, sumUsage } from './sum-usage'

interface Event {
  readonly customer_id: string
  readonly event_type: string
  readonly event_date: string
  readonly quantity?: string
  readonly unit_price?: string
}

/** Reads events into a batch; customers have the numbers 100, 101…, event types 10, 11… */
function batchOf(events: readonly Event[], request: number) {
  const appender = createEventAppender({ zone: 'UTC', now: Date.UTC(2030, 0, 1) })
  const batch = createBatch(64)
  for (const [at, event] of events.entries()) {
    const fields = eventFromJson({ ...event, event_id: `${request}-${at}` })
    if (isFault(fields)) throw new Error(fields.reason)
    expect(appender.append(fields, at + 1, batch)).toBeNull()
  }
  for (const { index, id } of appender.customers.unnumbered()) {
    appender.customers.setNumber(index, 100 + Number(id))
  }
  for (const { index, id } of appender.eventTypes.unnumbered()) {
    appender.eventTypes.setNumber(index, 10 + Number(id))
  }
  const { order } = sortBatch(batch, appender.customers.numbers)
  return { batch, order, eventTypeNumbers: appender.eventTypes.numbers }
}

const elements = (array: unknown): string[] => String(array).slice(1, -1).split(',')
const integers = (array: unknown): number[] => {
  const bytes = array as Buffer
  return Array.from({ length: bytes.readInt32BE(12) }, (_none, at) =>
    bytes.readInt32BE(24 + 8 * at),
  )
}
const dates = (array: unknown): number[] => {
  const bytes = array as Buffer
  const from2000 = (at: number) => Number(bytes.readBigInt64BE(24 + 12 * at))
  return Array.from(
    { length: bytes.readInt32BE(12) },
    (_none, at) => Date.UTC(2000, 0, 1) + from2000(at) / 1000,
  )
}

/** `123e-12`, as PostgreSQL reads it. */
function exact(text: string) {
  const [units = '', digits = '0'] = text.split('e-')
  return decimal(units).times(
    decimal(digits === '0' ? '1' : `0.${'1'.padStart(Number(digits), '0')}`),
  )
}

function told(values: unknown[]) {
  const [customers, types, own, quantities, amounts, events, date] = values
  const counts = integers(events)
  return integers(customers).map((customer, at) => ({
    kind: [customer, integers(types)[at], elements(own)[at] === 't'].join(' '),
    quantity: exact(elements(quantities)[at]!),
    amount: exact(elements(amounts)[at]!),
    events: counts[at]!,
    date: dates(date)[at]!,
  }))
}

type Told = ReturnType<typeof told>

function byKind(sums: Told) {
  const kinds = [...new Set(sums.map(({ kind }) => kind))].toSorted()
  return kinds.map((kind) => {
    const same = sums.filter((one) => one.kind === kind)
    return {
      kind,
      quantity: toPlain(sum(same.map(({ quantity }) => quantity))),
      amount: toPlain(sum(same.map(({ amount }) => amount))),
      events: same.reduce((all, { events }) => all + events, 0),
    }
  })
}

/** One event as the sum of itself, by the rules of the domain. */
function asSum(event: Event): Told[number] {
  const quantity = event.quantity === undefined ? ONE : decimal(event.quantity)
  return {
    kind: [
      100 + Number(event.customer_id),
      10 + Number(event.event_type),
      'unit_price' in event,
    ].join(' '),
    quantity,
    amount: event.unit_price === undefined ? ZERO : quantity.times(decimal(event.unit_price)),
    events: 1,
    date: Date.parse(event.event_date),
  }
}

const number = fc
  .oneof(
    fc.stringMatching(/^-?\d{1,6}\.\d{0,12}$/),
    fc.stringMatching(/^-?\d{1,18}$/),
    fc.constantFrom('0', '1', '-0.000000000001', '999999999999999999', '-999999.999999999999'),
  )
  .map((text) => parseDecimalText('quantity', text))
  .filter((read) => !isFault(read))
  .map((read) => (isFault(read) ? '' : read.text))

const event: fc.Arbitrary<Event> = fc.record(
  {
    customer_id: fc.nat(3).map(String),
    event_type: fc.oneof(fc.nat(2), fc.nat(40)).map(String),
    event_date: fc
      .date({ min: new Date('1971-01-01'), max: new Date('2029-12-31'), noInvalidDate: true })
      .map((date) => date.toISOString()),
    quantity: number,
    unit_price: number,
  },
  { requiredKeys: ['customer_id', 'event_type', 'event_date'] },
)

const requests = fc.array(fc.array(event, { minLength: 1, maxLength: 60 }), {
  minLength: 1,
  maxLength: 3,
})

test('the sums of usage are exact, whatever the quantities, signs and prices', () => {
  fc.assert(
    fc.property(requests, (sent) => {
      const sums = told(encodeSums(sumUsage(sent.map(batchOf))))
      expect(byKind(sums)).toEqual(byKind(sent.flat().map(asSum)))
    }),
    { numRuns: 300 },
  )
})

test('what is added up is of one month in every zone of the world, and the events of most of a month are added up', () => {
  const HOUR = 3_600_000
  const zones = Intl.supportedValuesOf('timeZone')
  const turn = fc
    .record({
      month: fc.integer({ min: 0, max: 58 * 12 }),
      hours: fc.integer({ min: -30, max: 30 }),
    })
    .map(({ month, hours }) => Date.UTC(1971, month) + hours * HOUR)
  const pair = fc.record({ one: turn, hoursAfter: fc.integer({ min: 0, max: 60 }) })
  const monthIn = (zone: string, date: number) =>
    new Date(date).toLocaleDateString('en', { timeZone: zone, year: 'numeric', month: 'numeric' })
  const sumsOf = (...instants: number[]) => {
    const events = instants.map((date) => asEvent(date))
    return told(encodeSums(sumUsage([batchOf(events, 0)])))
  }
  const asEvent = (date: number): Event => ({
    customer_id: '1',
    event_type: '1',
    event_date: new Date(date).toISOString(),
  })
  fc.assert(
    fc.property(pair, fc.constantFrom(...zones), ({ one, hoursAfter }, zone) => {
      const other = one + hoursAfter * HOUR
      if (sumsOf(one, other).length === 2) return
      expect(monthIn(zone, other)).toBe(monthIn(zone, one))
    }),
    { numRuns: 1_000 },
  )
  for (const month of Array.from({ length: 24 }, (_none, at) => at)) {
    const first = Date.UTC(2026, month) + 16 * HOUR
    const last = Date.UTC(2026, month + 1) - 16 * HOUR - 1
    expect(sumsOf(first, last)).toHaveLength(1)
    expect(sumsOf(first - 1, first, last, last + 1)).toHaveLength(3)
  }
})

test('events of a few kinds come down to a sum for each, however many requests bring them', () => {
  const one = (customer: number, more = {}): Event => ({
    customer_id: String(customer),
    event_type: '1',
    event_date: '2026-03-02T00:00:00.000Z',
    ...more,
  })
  const events = [one(1), one(2), one(1, { quantity: '0.5' }), one(2, { unit_price: '0' }), one(1)]
  const sums = told(encodeSums(sumUsage([events, events].map(batchOf))))
  expect(sums.map(({ kind, events: count }) => [kind, count]).toSorted()).toEqual([
    ['101 11 false', 6],
    ['102 11 false', 2],
    ['102 11 true', 2],
  ])
})

describe('sums by month', () => {
  const at = (event_date: string, more: Partial<Event> = {}): Event => ({
    customer_id: '1',
    event_type: '1',
    event_date,
    ...more,
  })
  const monthsOf = (...events: Event[]) => encodeMonths(sumUsage([batchOf(events, 0)]))

  function toldMonths(values: unknown[]) {
    const [customers, months, types, own, quantities, amounts, events] = values
    return integers(customers).map((customer, place) => ({
      kind: [customer, integers(types)[place], elements(own)[place] === 't'].join(' '),
      month: elements(months)[place]!,
      quantity: exact(elements(quantities)[place]!),
      amount: exact(elements(amounts)[place]!),
      events: integers(events)[place]!,
    }))
  }

  test('come to the same as those that the database has to tell the month of', () => {
    fc.assert(
      fc.property(requests, (sent) => {
        const months = encodeMonths(sumUsage(sent.map(batchOf)))
        if (months === undefined) return
        const ofEvents = sent.flat().map((event) => {
          const { kind, ...sums } = asSum(event)
          return { ...sums, kind: `${kind} ${event.event_date.slice(0, 7)}` }
        })
        const ofMonths = toldMonths(months).map(({ month, ...sums }) => ({
          ...sums,
          kind: `${sums.kind} ${month}`,
          date: 0,
        }))
        expect(byKind(ofMonths)).toEqual(byKind(ofEvents))
        expect(new Set(ofMonths.map(({ kind }) => kind)).size).toBe(ofMonths.length)
      }),
      { numRuns: 300 },
    )
  })

  test('come in the order of customer, month, event type and own price, and name each month once', () => {
    const months = monthsOf(
      at('2026-10-05T00:00:00Z', { customer_id: '2' }),
      at('2026-10-05T00:00:00Z', { unit_price: '2' }),
      at('2026-10-07T00:00:00Z', { event_type: '0' }),
      at('2026-09-07T00:00:00Z'),
      at('2026-10-06T00:00:00Z'),
    )!
    expect(toldMonths(months).map(({ kind, month }) => `${month} ${kind}`)).toEqual([
      '2026-09 101 11 false',
      '2026-10 101 10 false',
      '2026-10 101 11 false',
      '2026-10 101 11 true',
      '2026-10 102 11 false',
    ])
    expect(integers(months[7])).toEqual([101, 101, 102])
    expect(elements(months[8])).toEqual(['2026-09', '2026-10', '2026-10'])
  })

  test.each([
    ['the last moment that is of its month everywhere', '2026-10-31T07:59:59.999999Z', true],
    ['the first that may be of the next', '2026-10-31T08:00:00Z', false],
    ['the last that may be of the one before', '2026-11-01T15:59:59.999999Z', false],
    ['the first that is of its month everywhere', '2026-11-01T16:00:00Z', true],
  ])('are told of %s: %s, %s', (_name, date, isTold) => {
    expect(monthsOf(at('2026-10-05T00:00:00Z'), at(date)) !== undefined).toBe(isTold)
  })
})
