import { decimal, toPlain } from './decimal'
import { currencyExponent, dollarText, isCurrency, moneyText, roundToCurrency } from './money'

test.each([
  { currency: 'USD', exponent: 2 },
  { currency: 'EUR', exponent: 2 },
  { currency: 'JPY', exponent: 0 },
  { currency: 'ISK', exponent: 0 },
  { currency: 'KWD', exponent: 3 },
  { currency: 'HUF', exponent: 2 },
  { currency: 'CLF', exponent: 4 },
])('$currency has $exponent decimal places', ({ currency, exponent }) => {
  expect(currencyExponent(currency)).toBe(exponent)
})

test.each([{ currency: 'BTC' }, { currency: 'usd' }, { currency: '' }])(
  '"$currency" is no currency of ISO 4217',
  ({ currency }) => {
    expect(isCurrency(currency)).toBe(false)
    expect(() => currencyExponent(currency)).toThrow(
      expect.objectContaining({ kind: 'invalid', code: 'unknown_currency' }) as Error,
    )
  },
)

test.each([
  { amount: '0.125', currency: 'USD', rounded: '0.13' },
  { amount: '-0.125', currency: 'USD', rounded: '-0.13' },
  { amount: '0.124999999999', currency: 'USD', rounded: '0.12' },
  { amount: '2.675', currency: 'EUR', rounded: '2.68' },
  { amount: '0.5', currency: 'JPY', rounded: '1' },
  { amount: '-0.5', currency: 'JPY', rounded: '-1' },
  { amount: '1.0005', currency: 'KWD', rounded: '1.001' },
  { amount: '999999999999999.995', currency: 'USD', rounded: '1000000000000000' },
])('$amount $currency rounds half up to $rounded', ({ amount, currency, rounded }) => {
  expect(toPlain(roundToCurrency(decimal(amount), currency))).toBe(rounded)
})

test.each([
  { amount: '1050', currency: 'USD', text: '1050.00' },
  { amount: '-3', currency: 'JPY', text: '-3' },
  { amount: '-0.001', currency: 'USD', text: '0.00' },
  { amount: '1.5', currency: 'KWD', text: '1.500' },
])('$amount $currency is the money $text', ({ amount, currency, text }) => {
  expect(moneyText(decimal(amount), currency)).toBe(text)
})

test.each([
  { amount: '1050', currency: 'USD', text: '$1,050.00' },
  { amount: '999.995', currency: 'USD', text: '$1,000.00' },
  { amount: '0', currency: 'USD', text: '$0.00' },
  { amount: '-5', currency: 'USD', text: '-$5.00' },
  { amount: '-0.004', currency: 'USD', text: '$0.00' },
  { amount: '1050', currency: 'EUR', text: 'EUR 1,050.00' },
  { amount: '-5', currency: 'EUR', text: '-EUR 5.00' },
  { amount: '1234567', currency: 'JPY', text: 'JPY 1,234,567' },
  { amount: '1234567890123.456', currency: 'KWD', text: 'KWD 1,234,567,890,123.456' },
])('the billable file writes $amount $currency as $text', ({ amount, currency, text }) => {
  expect(dollarText(decimal(amount), currency)).toBe(text)
})
