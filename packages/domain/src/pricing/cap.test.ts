import fc from 'fast-check'
import { decimal, sum, toPlain } from '../decimal'
import { amountOf, usageOf } from '../testing/rate'
import type { DynamicPrice } from './price'
import { ratePrice } from './rate-price'

const price: DynamicPrice = { model: 'dynamic', cap: { per: 'lead_user', amount: decimal('100') } }
const by = (leadUser: string) => ({ lead_user: leadUser })

test.each([
  { situation: 'under the cap', amounts: ['60', '39.99'], costs: '99.99' },
  { situation: 'exactly the cap', amounts: ['60', '40'], costs: '100' },
  { situation: 'past the cap', amounts: ['60', '41'], costs: '100' },
  { situation: 'far past the cap', amounts: ['1000000000000'], costs: '100' },
])('one lead, $situation, costs $costs', ({ amounts, costs }) => {
  const usage = usageOf(...amounts.map((amount) => ['1', amount, by('ann')] as const))
  expect(toPlain(amountOf(price, usage))).toBe(costs)
})

test('each lead has a cap of its own, across products, and its excess is savings', () => {
  const usage = usageOf(
    ['1', '80', { lead_user: 'ann', product_id: 'p1' }],
    ['1', '50', { lead_user: 'ann', product_id: 'p2' }],
    ['1', '90', { lead_user: 'bob', product_id: 'p1' }],
  )
  const { lines, amount } = ratePrice(price, usage, { currency: 'USD' })
  expect(toPlain(amount)).toBe('190')
  expect(lines.filter((line) => line.kind === 'savings').map((line) => line.description)).toEqual([
    'lead_user ann capped at 100.00',
  ])
})

test('events without a lead are not capped', () => {
  expect(toPlain(amountOf(price, usageOf(['1', '150'])))).toBe('150')
})

test('repeats do not use up the cap', () => {
  const usage = usageOf(
    ['1', '60', { ...by('ann'), action: 'view' }],
    ['1', '60', { ...by('ann'), action: 'view' }],
    ['1', '30', { ...by('ann'), action: 'click' }],
  )
  expect(toPlain(amountOf({ ...price, dedupeBy: ['lead_user', 'action'] }, usage))).toBe('90')
})

test('a capped price of single units works as well', () => {
  const perUnit = { model: 'per_unit', unitPrice: decimal('3'), cap: price.cap } as const
  const usage = usageOf(['30', null, by('ann')], ['20', null, by('ann')], ['5', null, by('bob')])
  expect(toPlain(amountOf(perUnit, usage))).toBe('115')
})

test('nobody pays more than the cap, and the lines sum to what is paid', () => {
  const row = fc.tuple(fc.constantFrom('ann', 'bob', 'cid'), fc.nat(90))
  fc.assert(
    fc.property(fc.array(row, { maxLength: 20 }), (rows) => {
      const usage = usageOf(
        ...rows.map(([lead, amount]) => ['1', String(amount), by(lead)] as const),
      )
      const expected = ['ann', 'bob', 'cid'].reduce((total, lead) => {
        const spent = rows
          .filter(([one]) => one === lead)
          .reduce((all, [, amount]) => all + amount, 0)
        return total + Math.min(100, spent)
      }, 0)
      const { amount, lines } = ratePrice(price, usage, { currency: 'USD' })
      expect(toPlain(amount)).toBe(String(expected))
      expect(toPlain(sum(lines.map((line) => line.amount)))).toBe(String(expected))
    }),
  )
})
