import { decimal } from '../decimal'
import { tiersOf } from '../testing/rate'
import type { Price } from './price'
import { readsOwnPrice, usageNeeds } from './usage-needs'

const percentage: Price = { model: 'percentage', rate: decimal('1') }
const dynamic: Price = { model: 'dynamic' }

test.each<{ what: string; price: Price; detail: string }>([
  { what: 'tiers', price: { model: 'volume', tiers: tiersOf([null, '1']) }, detail: 'quantity' },
  { what: 'a bare percentage', price: percentage, detail: 'quantity' },
  {
    what: 'a percentage with a fee per event',
    price: { ...percentage, fixedFee: decimal('1') },
    detail: 'events',
  },
  { what: "events' own prices", price: dynamic, detail: 'slices' },
  {
    what: 'own prices with free units',
    price: { ...dynamic, freeUnits: decimal('1') },
    detail: 'events',
  },
  {
    what: 'own prices without repeats',
    price: { ...dynamic, dedupeBy: ['who'] },
    detail: 'events',
  },
])('$what need $detail', ({ price, detail }) => {
  expect(usageNeeds(price).detail).toBe(detail)
})

test('a matrix needs its dimensions, and what its cells need', () => {
  const price: Price = {
    model: 'matrix',
    dimensions: ['region'],
    cells: [
      { match: { region: 'eu' }, price: { ...dynamic, cap: { per: 'who', amount: decimal('1') } } },
    ],
  }
  expect(usageNeeds(price)).toEqual({
    detail: 'events',
    dimensions: ['region'],
    properties: ['region', 'who'],
  })
  expect(readsOwnPrice(price)).toBe(true)
})
