import fc from 'fast-check'
import {
  compare,
  decimal,
  divide,
  divideWithRest,
  isNegative,
  isZero,
  placesOf,
  roundHalfUp,
  sum,
  toPlaces,
  toPlain,
} from './decimal'
import { decimalOf } from './testing/decimal-of'

test('amounts to ten to the fifteenth and prices to twelve places multiply without losing a digit', () => {
  const amount = decimal('1000000000000000.01').times(decimal('0.000000000001'))
  expect(toPlain(amount)).toBe('1000.00000000000001')
})

test('a sum of a tenth and two tenths is three tenths', () => {
  expect(toPlain(sum([decimal('0.1'), decimal('0.2')]))).toBe('0.3')
})

test.each([
  { text: '1e3' },
  { text: '' },
  { text: '.' },
  { text: '1,000' },
  { text: 'NaN' },
  { text: ' 1' },
  { text: '0x10' },
])('"$text" is no plain decimal', ({ text }) => {
  expect(() => decimal(text)).toThrow(RangeError)
})

test.each([
  { text: '+5', plain: '5' },
  { text: '007.50', plain: '7.5' },
  { text: '.5', plain: '0.5' },
  { text: '5.', plain: '5' },
  { text: '-0', plain: '0' },
  { text: '-0.000', plain: '0' },
  { text: '0.000000000001', plain: '0.000000000001' },
  { text: '100000000000000000000000', plain: '100000000000000000000000' },
])('$text is written $plain', ({ text, plain }) => {
  expect(toPlain(decimal(text))).toBe(plain)
})

test('text of a decimal reads back as the same decimal', () => {
  fc.assert(
    fc.property(decimalOf({ whole: 15, places: 12 }), (value) => {
      expect(decimal(toPlain(value)).eq(value)).toBe(true)
    }),
  )
})

test('a decimal has as many digits after the point as were asked for, whatever its size', () => {
  const any = fc.oneof(
    decimalOf({ whole: 15, places: 12 }),
    decimalOf({ whole: 4, places: 3 }),
    fc
      .constantFrom('0', '-0', '-0.004', '0.0005', '999999999999999', '9999999999999999')
      .map(decimal),
  )
  fc.assert(
    fc.property(any, fc.integer({ min: 0, max: 14 }), (value, places) => {
      const text = toPlaces(value, places)
      expect(text).toBe(roundHalfUp(value, places).toFixed(places))
      expect(text).toMatch(places === 0 ? /^-?\d+$/ : new RegExp(`^-?\\d+\\.\\d{${places}}$`))
      expect(toPlain(value)).toBe(value.toFixed())
    }),
  )
})

test('two decimals compare as their difference compares with zero', () => {
  const near = fc
    .tuple(
      decimalOf({ whole: 3, places: 2 }),
      fc.constantFrom('0', '0.01', '-0.01', '0.001', '100'),
    )
    .map(([value, more]) => [value, value.plus(decimal(more))] as const)
  const any = fc.tuple(decimalOf({ whole: 15, places: 12 }), decimalOf({ whole: 2, places: 1 }))
  fc.assert(
    fc.property(fc.oneof(near, any), ([a, b]) => {
      const difference = toPlain(a.minus(b))
      expect(Math.sign(compare(a, b))).toBe(Math.sign(Number(difference)))
      expect(isZero(a.minus(b))).toBe(difference === '0')
      expect(isNegative(a.minus(b))).toBe(difference.startsWith('-'))
    }),
  )
})

test.each([
  { text: '0', places: 0 },
  { text: '100', places: 0 },
  { text: '1.50', places: 1 },
  { text: '-0.001', places: 3 },
  { text: '123456.000000000001', places: 12 },
])('$text has $places digits after the point', ({ text, places }) => {
  expect(placesOf(decimal(text))).toBe(places)
})

test('division is carried to thirty places, half up', () => {
  expect(toPlain(divide(decimal('2'), decimal('3')))).toBe('0.666666666666666666666666666667')
  expect(toPlain(divide(decimal('-2'), decimal('3')))).toBe('-0.666666666666666666666666666667')
})

test('whole times the divisor plus the rest is the dividend, and the rest is less than the divisor', () => {
  const size = decimalOf({ whole: 6, places: 6 }).filter((value) => value.gt(decimal('0')))
  fc.assert(
    fc.property(decimalOf({ whole: 15, places: 12 }), size, (signed, divisor) => {
      const dividend = signed.abs()
      const { whole, rest } = divideWithRest(dividend, divisor)
      expect(toPlain(whole.times(divisor).plus(rest))).toBe(toPlain(dividend))
      expect(rest.lt(divisor)).toBe(true)
      expect(toPlain(whole)).not.toContain('.')
    }),
  )
})
