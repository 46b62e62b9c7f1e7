import { decimal, sum, toPlain } from '../decimal'
import type { MeterEvent } from '../meters/aggregate'
import { type PlanVersion, standardCharges, standardMeter } from './plan'
import { proratedDays } from './proration'
import { planUsageOf, ratePlan } from './rate-plan'

const standard: PlanVersion = { currency: 'USD', charges: standardCharges() }
const span = { from: 0, to: 1_000_000 }
const event = (quantity: string, unitPrice?: string, eventType = 'call'): MeterEvent => ({
  eventType,
  eventDate: 5,
  quantity: decimal(quantity),
  unitPrice: unitPrice === undefined ? undefined : decimal(unitPrice),
})
const billOf = (plan: PlanVersion, events: readonly MeterEvent[]) =>
  ratePlan({ plan, usage: planUsageOf(plan, { meters: [standardMeter()], events, span }) })

test('events with a price of their own have a line of their own and do not count towards the tiers', () => {
  const { lines, total } = billOf(standard, [event('10'), event('58', '0.05'), event('42', '0.15')])
  expect(lines.map((line) => [line.chargeId, line.description, toPlain(line.amount)])).toEqual([
    ['usage', 'Usage', '50'],
    ['own_price', 'Usage at its own prices', '9.2'],
  ])
  expect(toPlain(total)).toBe('59.2')
})

test('a customer with nothing but own prices has that line alone', () => {
  const { lines } = billOf(standard, [event('1', '14.99')])
  expect(lines.map((line) => line.chargeId)).toEqual(['own_price'])
})

test('the quantity of the lines is the quantity of the events', () => {
  const { lines } = billOf(standard, [event('3'), event('4.5'), event('2', '7'), event('-1', '7')])
  expect(toPlain(sum(lines.map((line) => line.quantity)))).toBe('8.5')
})

test('a dynamic charge takes the events with their own price that its meter counts, the others stay apart', () => {
  const plan: PlanVersion = {
    currency: 'USD',
    charges: [
      { id: 'ads', name: 'Ads', meter: 'ads', price: { model: 'dynamic' } },
      ...standard.charges,
    ],
  }
  const meters = [standardMeter(), { ...standardMeter(), code: 'ads', eventType: 'ad' }]
  const events = [event('2', '3', 'ad'), event('1', '10', 'sms'), event('4')]
  const { lines } = ratePlan({ plan, usage: planUsageOf(plan, { meters, events, span }) })
  expect(lines.map((line) => [line.chargeId, toPlain(line.amount)])).toEqual([
    ['ads', '6'],
    ['usage', '20'],
    ['own_price', '10'],
  ])
})

test('flat charges are prorated unless the charge says otherwise', () => {
  const flat = { model: 'flat', amount: decimal('30') } as const
  const plan: PlanVersion = {
    currency: 'USD',
    charges: [
      { id: 'base', name: 'Base', meter: null, price: flat },
      { id: 'setup', name: 'Setup', meter: null, price: flat, prorate: false },
    ],
  }
  const days = proratedDays({ from: '2026-04-16', to: '2026-05-01', period: '2026-04' })
  const { lines } = ratePlan({ plan, usage: { byCharge: new Map() }, days })
  expect(lines.map((line) => toPlain(line.amount))).toEqual(['15', '30'])
})
