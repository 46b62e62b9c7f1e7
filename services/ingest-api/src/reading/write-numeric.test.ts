import { isFault, parseDecimalText } from '@billtrail/domain'
import fc from 'fast-check'
import { readNumeric } from './testing/read-all'
import { NOT_A_DECIMAL, NUMERIC_BYTES_MAX, TOO_PRECISE, writeNumeric } from './write-numeric'

function write(text: string): string | number {
  const bytes = Buffer.from(`<${text}>`)
  const out = Buffer.alloc(NUMERIC_BYTES_MAX + 2)
  const end = writeNumeric(bytes, 1, bytes.length - 1, out, 1)
  if (end < 0) return end
  expect(out.readInt32BE(1)).toBe(end - 5)
  return readNumeric(out.subarray(5, end))
}

test('a written number reads back as its canonical text', () => {
  const texts = fc.oneof(
    fc.stringMatching(/^[+-]?0{0,3}\d{0,19}\.?\d{0,14}$/),
    fc.stringMatching(/^[-+.\dex]{0,6}$/),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const rule = parseDecimalText('quantity', text)
      if (!isFault(rule)) expect(write(text)).toBe(rule.text)
      else
        expect(write(text)).toBe(rule.reason === 'invalid_quantity' ? NOT_A_DECIMAL : TOO_PRECISE)
    }),
    { numRuns: 5000 },
  )
})

test.each([
  '0',
  '1',
  '-1',
  '10000',
  '99999999',
  '0.0001',
  '0.00001',
  '0.000000000001',
  '-123456789012345.678',
  '100000000000000000',
])('%s is exact', (text) => {
  expect(write(text)).toBe(text)
})
