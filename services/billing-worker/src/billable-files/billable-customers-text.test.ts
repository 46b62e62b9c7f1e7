import fc from 'fast-check'
import { billableCustomersText, type BillableRow } from './billable-customers-text'

const row = (customerId: string, rest: Partial<BillableRow> = {}): BillableRow => ({
  customerId,
  name: null,
  quantity: '1',
  amount: '5.00',
  currency: 'USD',
  ...rest,
})

test('the file is these bytes', () => {
  const bytes = Buffer.from(
    billableCustomersText([
      row('10', { name: 'John Smith', quantity: '5.500', amount: '27.5' }),
      row('232', { name: 'Märy', quantity: '350', amount: '1050' }),
    ]),
  )
  expect(bytes.toString('latin1')).toBe(
    '0000000010\tJohn Smith\t5.5\t$27.50\n0000000232\tM\xc3\xa4ry\t350\t$1,050.00\n',
  )
})

test('without customers it is empty', () => {
  expect(billableCustomersText([])).toBe('')
})

test.each([
  { what: 'ten digits stay', id: '1234567890', is: '1234567890' },
  { what: 'more are not cut', id: '12345678901', is: '12345678901' },
  { what: 'zero is padded', id: '0', is: '0000000000' },
  { what: 'letters are not padded', id: '12a', is: '12a' },
  { what: 'a sign is no digit', id: '-5', is: '-5' },
  { what: 'digits of another script are none', id: '٣', is: '٣' },
])('$what: $id', ({ id, is }) => {
  expect(billableCustomersText([row(id)]).split('\t')[0]).toBe(is)
})

test.each([
  { currency: 'EUR', amount: '1050', is: 'EUR 1,050.00' },
  { currency: 'JPY', amount: '1050', is: 'JPY 1,050' },
  { currency: 'KWD', amount: '1.5', is: 'KWD 1.500' },
  { currency: 'USD', amount: '-5', is: '-$5.00' },
  { currency: 'USD', amount: '1234567890123.45', is: '$1,234,567,890,123.45' },
])('$amount $currency is written $is', ({ currency, amount, is }) => {
  expect(billableCustomersText([row('1', { currency, amount })])).toBe(`0000000001\t1\t1\t${is}\n`)
})

test('numbers come first, by value, then the others by their UTF-8 bytes', () => {
  const ids = ['b', '10', 'é', 'B', '9', '00000000000000000009', 'a', '\u{1f600}', '\uff5e', '1e3']
  const sorted = billableCustomersText(ids.map((id) => row(id, { name: id })))
    .split('\n')
    .map((line) => line.split('\t')[1])
  expect(sorted.slice(0, -1)).toEqual([
    '00000000000000000009',
    '9',
    '10',
    '1e3',
    'B',
    'a',
    'b',
    'é',
    '\uff5e',
    '\u{1f600}',
  ])
})

test('whatever a name holds, each customer is one line of four cells', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary' })), (names) => {
      const text = billableCustomersText(names.map((name, at) => row(String(at + 1), { name })))
      const lines = text.split('\n')
      expect(lines.pop()).toBe('')
      expect(lines).toHaveLength(names.length)
      for (const line of lines) expect(line.split('\t')).toHaveLength(4)
      expect(text).not.toMatch(/\r/)
    }),
  )
})
