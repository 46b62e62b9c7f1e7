import { localClock } from '../time/local-instant'
import { parseDecimalText } from './decimal-text'
import { parseEventDate } from './event-date'
import { eventKey, isOwnKey } from './event-key'
import { parseIdText, propertyNameFault, propertyValueFault } from './event-text'
import { neutraliseFormula, restoreFormula } from './spreadsheet-text'

const options = {
  clock: localClock('Europe/Berlin'),
  nowMicros: Date.UTC(2026, 10, 21) * 1000,
  allowFuture: false,
}
const read = (text: string): string => {
  const result = parseEventDate(text, options)
  if ('reason' in result) return result.reason
  return `${new Date(result.micros / 1000).toISOString().slice(0, -1)}${String(result.micros % 1000).padStart(3, '0')}Z`
}

test.each([
  ['2026-03-01T00:01:11.055Z', '2026-03-01T00:01:11.055000Z'],
  ['2021-03-01 00:01:11.055+00', '2021-03-01T00:01:11.055000Z'],
  ['2026-03-01T05:30:00+0530', '2026-03-01T00:00:00.000000Z'],
  ['2026-03-01T05:30:00+05:30', '2026-03-01T00:00:00.000000Z'],
  ['2026-02-28T20:00:00-04', '2026-03-01T00:00:00.000000Z'],
  ['2026-03-01T00:00:00.123456789Z', '2026-03-01T00:00:00.123456Z'],
  [' 2026-03-01t00:00:00z ', '2026-03-01T00:00:00.000000Z'],
  ['2026-03-01 00:00:00', '2026-02-28T23:00:00.000000Z'],
  ['2026-03-01', '2026-02-28T23:00:00.000000Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000Z'],
  ['1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000000Z'],
  ['2026-11-22T00:00:00Z', '2026-11-22T00:00:00.000000Z'],
  ['2026-03-29T02:30:00', 'date_without_such_local_time'],
  ['2026-02-30T00:00:00Z', 'invalid_event_date'],
  ['2100-02-29T00:00:00Z', 'invalid_event_date'],
  ['2026-03-01T24:00:00Z', 'invalid_event_date'],
  ['2026-03-01T00:00:60Z', 'invalid_event_date'],
  ['2026-03-01T00:00Z', 'invalid_event_date'],
  ['2026-03-01T00:00:00.Z', 'invalid_event_date'],
  ['2026-03-01T00:00:00.1234567890Z', 'invalid_event_date'],
  ['2026-03-01T00:00:00+16', 'invalid_event_date'],
  ['1.3.2026', 'invalid_event_date'],
  ['1772323200', 'invalid_event_date'],
  ['1969-12-31T23:59:59.999999Z', 'event_date_out_of_range'],
  ['2026-11-22T00:00:00.000001Z', 'event_date_out_of_range'],
  ['', 'missing_event_date'],
])('the date %s is %s', (text, result) => {
  expect(read(text)).toBe(result)
})

test('a date far ahead is taken when the caller asks for it, until 2200', () => {
  const future = { ...options, allowFuture: true }
  expect(parseEventDate('2199-12-31T23:59:59.999999Z', future)).toEqual({
    micros: Date.UTC(2200, 0) * 1000 - 1,
  })
  expect(parseEventDate('2200-01-01T00:00:00Z', future)).toEqual({
    reason: 'event_date_out_of_range',
  })
})

test.each([
  ['1', '1'],
  ['+1.50', '1.5'],
  ['-0.0', '0'],
  ['.5', '0.5'],
  ['5.', '5'],
  [' 007 ', '7'],
  ['123456789012345678', '123456789012345678'],
  ['0.000000000001', '0.000000000001'],
  ['1.0000000000000000', '1'],
  ['1234567890123456789', 'quantity_too_precise'],
  ['0.0000000000001', 'quantity_too_precise'],
  ['1e3', 'invalid_quantity'],
  ['1,000', 'invalid_quantity'],
  ['NaN', 'invalid_quantity'],
  ['.', 'invalid_quantity'],
  ['- 1', 'invalid_quantity'],
  ['', 'invalid_quantity'],
])('the quantity %s is %s', (text, result) => {
  const parsed = parseDecimalText('quantity', text)
  expect('reason' in parsed ? parsed.reason : parsed.text).toBe(result)
})

test('a UUID in lower case is its own key, any other id is hashed into a space of its own', () => {
  const id = '0b1c2d3e-4f50-4162-8374-95a6b7c8d9e0'
  expect(eventKey(id)).toBe(id)
  for (const other of [
    id.toUpperCase(),
    id.replaceAll('-', ''),
    '0b1c2d3e-4f50-8162-8374-95a6b7c8d9e0',
    'e1',
  ]) {
    expect(isOwnKey(other)).toBe(false)
    expect(eventKey(other)).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    )
  }
})

test('ids are trimmed, not empty, visible and bounded in bytes', () => {
  expect(parseIdText('event_id', ' e 1\t')).toEqual({ text: 'e 1' })
  expect(parseIdText('customer_id', '  ')).toEqual({ reason: 'missing_customer_id' })
  expect(parseIdText('event_type', 'a\u0000b')).toEqual({ reason: 'invalid_event_type' })
  expect(parseIdText('event_id', 'é'.repeat(128))).toEqual({ reason: 'event_id_too_long' })
  expect(parseIdText('event_id', '\ud800')).toEqual({ reason: 'invalid_encoding' })
})

test('properties have bounded names that are not ours, and values without NUL', () => {
  expect(propertyNameFault('region')).toBeNull()
  expect(propertyNameFault('quantity')).toEqual({ reason: 'reserved_property_name' })
  expect(propertyNameFault('x'.repeat(101))).toEqual({ reason: 'property_name_too_long' })
  expect(propertyValueFault('x'.repeat(8192))).toBeNull()
  expect(propertyValueFault('x'.repeat(8193))).toEqual({ reason: 'property_too_long' })
  expect(propertyValueFault('a\0')).toEqual({ reason: 'invalid_property' })
})

test.each(['=1', "'=1", "''-x", '+', 'plain', "'quoted", '\t=', ''])(
  '%j survives a spreadsheet',
  (text) => {
    expect(restoreFormula(neutraliseFormula(text))).toBe(text)
  },
)
