import fc from 'fast-check'
import { decimal, sum, toPlain } from '../decimal'
import { decimalOf } from '../testing/decimal-of'
import type { Price } from './price'
import { type BillInput, rateBill } from './rate-bill'
import type { BillCharge } from './rate-charge'

const each = (unitPrice: string, more: object = {}): Price => ({
  model: 'per_unit',
  unitPrice: decimal(unitPrice),
  ...more,
})
const charge = (id: string, price: Price, quantity: string): BillCharge => ({
  id,
  name: `Charge ${id}`,
  price,
  usage: { quantity: decimal(quantity) },
})
const bill = (input: Partial<BillInput>) => rateBill({ currency: 'USD', charges: [], ...input })

test('a line is rounded once, half up, and the subtotal is the sum of rounded lines', () => {
  const { lines, subtotal } = bill({
    charges: [charge('a', each('0.005'), '1'), charge('b', each('0.005'), '1')],
  })
  expect(lines.map((line) => [toPlain(line.unroundedAmount), toPlain(line.amount)])).toEqual([
    ['0.005', '0.01'],
    ['0.005', '0.01'],
  ])
  expect(toPlain(subtotal)).toBe('0.02')
})

test.each([
  { currency: 'JPY', amount: '3' },
  { currency: 'USD', amount: '2.5' },
  { currency: 'KWD', amount: '2.501' },
])('a line of 2.5005 $currency is $amount', ({ currency, amount }) => {
  const { total } = bill({ currency, charges: [charge('a', each('2.5005'), '1')] })
  expect(toPlain(total)).toBe(amount)
})

test('a credit rounds away from zero, like what it credits', () => {
  expect(toPlain(bill({ charges: [charge('a', each('0.125'), '-1')] }).total)).toBe('-0.13')
})

test('a minimum makes a true-up line, and the charge is exactly the minimum', () => {
  const { lines, total } = bill({
    charges: [charge('a', each('0.335', { minimum: decimal('10') }), '1')],
  })
  expect(lines.map((line) => [line.kind, line.description, toPlain(line.amount)])).toEqual([
    ['charge', 'Charge a', '0.34'],
    ['true_up', 'Charge a: True-up to the minimum of 10.00', '9.66'],
  ])
  expect(toPlain(total)).toBe('10')
})

test('a maximum makes a savings line, and the charge is exactly the maximum', () => {
  const { lines } = bill({
    charges: [charge('a', each('33.335', { maximum: decimal('10') }), '1')],
  })
  expect(lines.map((line) => [line.kind, toPlain(line.amount)])).toEqual([
    ['charge', '33.34'],
    ['savings', '-23.34'],
  ])
})

test('each group is rated by itself, with its own line', () => {
  const group = (region: string, quantity: string) => ({
    properties: { region },
    usage: { quantity: decimal(quantity) },
  })
  const usage = { quantity: decimal('3'), groups: [group('eu', '1'), group('us', '2')] }
  const { lines, total } = bill({ charges: [{ ...charge('a', each('0.005'), '3'), usage }] })
  expect(
    lines.map((line) => [line.description, toPlain(line.amount), line.groupProperties]),
  ).toEqual([
    ['Charge a (region=eu)', '0.01', { region: 'eu' }],
    ['Charge a (region=us)', '0.01', { region: 'us' }],
  ])
  expect(toPlain(total)).toBe('0.02')
})

test('a charge without usage and without a fee has no line', () => {
  expect(bill({ charges: [charge('a', each('5'), '0')] }).lines).toEqual([])
})

test('tax is of the sum of rounded lines, and exclusive tax is added', () => {
  const taxes = [{ name: 'VAT', ratePercent: decimal('19'), inclusive: false }]
  const charges = [charge('a', each('0.005'), '1'), charge('b', each('99.99'), '1')]
  const { subtotal, taxLines, total } = bill({ charges, taxes })
  expect(toPlain(subtotal)).toBe('100')
  expect(taxLines.map((line) => [line.name, toPlain(line.amount)])).toEqual([['VAT', '19']])
  expect(toPlain(total)).toBe('119')
})

test('inclusive tax is what the sum already holds', () => {
  const taxes = [{ name: 'GST', ratePercent: decimal('10'), inclusive: true }]
  const { taxLines, total } = bill({ charges: [charge('a', each('110'), '1')], taxes })
  expect(taxLines.map((line) => toPlain(line.amount))).toEqual(['10'])
  expect(toPlain(total)).toBe('110')
})

test('an unknown currency is refused', () => {
  expect(() => bill({ currency: 'XXY' })).toThrow(
    expect.objectContaining({ code: 'unknown_currency' }) as Error,
  )
})

test('lines and taxes sum to the total, and every amount is payable', () => {
  const anyCharges = fc.array(
    fc.tuple(decimalOf({ whole: 9, places: 4 }), decimalOf({ whole: 2, places: 6 }), fc.boolean()),
    { maxLength: 6 },
  )
  fc.assert(
    fc.property(anyCharges, fc.nat(3000), (rows, rate) => {
      const charges = rows.map(([quantity, price, limited], at) => {
        const limits = limited ? { minimum: decimal('5.55'), maximum: decimal('77.77') } : {}
        return charge(String(at), each(toPlain(price.abs()), limits), toPlain(quantity))
      })
      const ratePercent = decimal(String(rate)).times(decimal('0.01'))
      const taxes = [{ name: 'tax', ratePercent, inclusive: false }]
      const { lines, subtotal, taxLines, total } = bill({ charges, taxes })
      expect(toPlain(sum(lines.map((line) => line.amount)))).toBe(toPlain(subtotal))
      expect(toPlain(sum([subtotal, ...taxLines.map((line) => line.amount)]))).toBe(toPlain(total))
      for (const { amount } of lines) expect(toPlain(amount.round(2))).toBe(toPlain(amount))
    }),
  )
})
