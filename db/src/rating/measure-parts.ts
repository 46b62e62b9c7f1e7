import {
  type Charge,
  decimal,
  type Meter,
  meterFor,
  type PlanUsage,
  type RatedUsage,
  readsOwnPrice,
  sum,
  usageNeeds,
} from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'
import { type Measurement, measureSpans } from '../metering/measure-spans'
import { type OwnPriceSlice, readOwnPricesLeft } from '../metering/read-span-totals'
import type { MonthPart } from './split-month'
import { usageOfTotals } from './usage-of-totals'

interface Asked {
  readonly part: number
  readonly chargeId: string
}

/**
 * The usage of each part's plan, in the order of the parts. Totals answer for plain meters; for the others there is one
 * statement for each way of counting, over all parts that need it.
 */
export async function measureParts(
  sql: Sql,
  organizationId: string,
  parts: readonly MonthPart[],
): Promise<PlanUsage[]> {
  const usages = parts.map(() => new Map<string, RatedUsage>())
  const questions = new Map<string, { rule: Omit<Measurement, 'spans'>; asked: Asked[] }>()
  parts.forEach(({ plan, usage }, part) => {
    for (const charge of plan.version.charges) {
      const meter = charge.meter === null ? undefined : plan.meters.get(charge.meter)
      if (meter === undefined) continue
      const known = usageOfTotals(charge, meter, usage)
      if (known !== undefined) {
        usages[part]!.set(charge.id, known)
        continue
      }
      const rule = ruleOf(organizationId, charge, meter)
      const key = JSON.stringify({ ...rule, meter: { ...rule.meter, code: '' } })
      const question = questions.get(key) ?? { rule, asked: [] }
      question.asked.push({ part, chargeId: charge.id })
      questions.set(key, question)
    }
  })
  for (const { rule, asked } of questions.values()) {
    const spans = asked.map(({ part }) => parts[part]!)
    const measured = await measureSpans(sql, { ...rule, spans })
    asked.forEach(({ part, chargeId }, at) => usages[part]!.set(chargeId, measured[at]!))
  }
  const own = await ownPricesOf(sql, organizationId, parts)
  return usages.map((byCharge, at) => ({ byCharge, ...ownPriceUsage(own[at] ?? []) }))
}

function ruleOf(
  organizationId: string,
  { price }: Charge,
  meter: Meter,
): Omit<Measurement, 'spans'> {
  return {
    organizationId,
    meter: meterFor(meter, price),
    needs: usageNeeds(price),
    ownPrices: readsOwnPrice(price),
  }
}

/** What no charge takes of the events with their own price. */
async function ownPricesOf(
  sql: Sql,
  organizationId: string,
  parts: readonly MonthPart[],
): Promise<OwnPriceSlice[][]> {
  const left = parts.map(({ usage }) =>
    usage.ownPrices.map((own) => ({
      unitPrice: decimal(own.unitPrice),
      quantity: decimal(own.quantity),
    })),
  )
  const readers = new Map<string, { meters: Meter[]; asked: number[] }>()
  parts.forEach(({ plan, usage }, part) => {
    const meters = plan.version.charges.flatMap((charge) => {
      const meter = charge.meter === null ? undefined : plan.meters.get(charge.meter)
      return meter !== undefined && readsOwnPrice(charge.price) ? [meter] : []
    })
    if (meters.length === 0 || usage.ownPriceEvents === 0) return
    const key = JSON.stringify(meters)
    const reader = readers.get(key) ?? { meters, asked: [] }
    reader.asked.push(part)
    readers.set(key, reader)
  })
  for (const { meters, asked } of readers.values()) {
    const spans = asked.map((part) => parts[part]!)
    const found = await readOwnPricesLeft(sql, { organizationId, meters, spans })
    asked.forEach((part, at) => (left[part] = found[at]!))
  }
  return left
}

const ownPriceUsage = (slices: readonly OwnPriceSlice[]): Pick<PlanUsage, 'ownPrice'> =>
  slices.length === 0
    ? {}
    : { ownPrice: { quantity: sum(slices.map((slice) => slice.quantity)), slices } }
