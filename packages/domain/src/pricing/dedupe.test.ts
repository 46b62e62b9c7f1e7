import { toPlain } from '../decimal'
import { amountOf, usageOf } from '../testing/rate'
import type { DynamicPrice } from './price'
import { ratePrice } from './rate-price'

const price: DynamicPrice = { model: 'dynamic', dedupeBy: ['lead_user', 'product_id', 'action'] }
const lead = (leadUser: string, product: string, action: string) => ({
  lead_user: leadUser,
  product_id: product,
  action,
})

test('a repeat of the same lead, product and action is charged once; the rest is savings', () => {
  const usage = usageOf(
    ['1', '10', lead('ann', 'p1', 'view')],
    ['1', '10', lead('ann', 'p1', 'view')],
    ['1', '10', lead('ann', 'p1', 'view')],
  )
  const { amount, lines } = ratePrice(price, usage, { currency: 'USD' })
  expect(toPlain(amount)).toBe('10')
  expect(lines.map((line) => [line.kind, toPlain(line.amount), line.description])).toEqual([
    ['usage', '30', '3 units at 10.00'],
    ['savings', '-20', '2 repeated events not charged (same lead_user, product_id, action)'],
  ])
})

test.each([
  { situation: 'on another product', second: lead('ann', 'p2', 'view'), costs: '20' },
  { situation: 'by another lead', second: lead('bob', 'p1', 'view'), costs: '20' },
  { situation: 'of another kind', second: lead('ann', 'p1', 'download'), costs: '20' },
  { situation: 'without a lead', second: { product_id: 'p1', action: 'view' }, costs: '20' },
])('an action $situation is no repeat', ({ second, costs }) => {
  const usage = usageOf(['1', '10', lead('ann', 'p1', 'view')], ['1', '10', second])
  expect(toPlain(amountOf(price, usage))).toBe(costs)
})

test('the earliest event is the one charged', () => {
  const properties = lead('ann', 'p1', 'view')
  const { quantity, events } = usageOf(['1', '5', properties], ['1', '2', properties])
  const dated = (events ?? []).map((event, at) => ({ ...event, eventDate: 10 - at }))
  expect(toPlain(amountOf(price, { quantity, events: dated }))).toBe('2')
})

test('values that only look joined alike are told apart', () => {
  const usage = usageOf(['1', '10', lead('a,b', 'c', 'x')], ['1', '10', lead('a', 'b,c', 'x')])
  expect(toPlain(amountOf(price, usage))).toBe('20')
})
