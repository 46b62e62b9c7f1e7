import { decimal, toPlain } from '../decimal'
import { costOf } from '../testing/rate'
import type { FlatPrice } from './price'
import { proratedDays } from './proration'
import { ratePrice } from './rate-price'

const price: FlatPrice = { model: 'flat', amount: decimal('31') }

test.each([{ units: '0' }, { units: '0.5' }, { units: '1000000000000000' }, { units: '-3' }])(
  '$units units cost the flat amount',
  ({ units }) => {
    expect(costOf(price, units)).toBe('31')
  },
)

test.each([
  { from: '2026-01-10', to: '2026-02-01', period: '2026-01', costs: '22' },
  { from: '2026-01-01', to: '2026-02-01', period: '2026-01', costs: '31' },
  { from: '2025-06-01', to: '2027-06-01', period: '2026-01', costs: '31' },
  { from: '2026-02-15', to: '2026-03-01', period: '2026-02', costs: '15.5' },
  {
    from: '2028-02-15',
    to: '2028-03-01',
    period: '2028-02',
    costs: '16.034482758620689655172413793103',
  },
  { from: '2026-02-01', to: '2026-02-10', period: '2026-01', costs: '0' },
])('from $from to $to in $period it costs $costs', ({ costs, ...span }) => {
  const days = proratedDays(span)
  const { amount } = ratePrice(price, { quantity: decimal('0') }, { currency: 'USD', days })
  expect(toPlain(amount)).toBe(costs)
})

test.each([
  { from: '2026-02-30', to: '2026-03-01', period: '2026-02' },
  { from: '2026-02-10', to: '2026-02-09', period: '2026-02' },
  { from: '2026-02-10', to: '2026-02-19', period: '2026-13' },
])('from $from to $to in $period is refused', (span) => {
  expect(() => proratedDays(span)).toThrow(
    expect.objectContaining({ code: 'invalid_proration' }) as Error,
  )
})
