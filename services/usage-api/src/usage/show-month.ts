import type { RatedMonth, TypeUsage } from '@billtrail/db'
import { dollarTextOf, moneyText, parsePeriod } from '@billtrail/domain'
import type { Caller } from '@billtrail/platform'
import type { z } from 'zod'
import { customerNotFound } from '../customers/customer-not-found'
import type { UsageDeps } from '../usage-deps'
import type { MonthAnswer } from './usage.schema'

export interface MonthTotal {
  readonly customer: string
  readonly month: number
  readonly year: number
  readonly accumulated_price: string
  readonly price_in_dollars: string
  readonly currency: string
}

/** What a rated month comes to: always the total, never a step of it. */
export function monthTotal(
  customer: string,
  period: string,
  { currency, bill }: Pick<RatedMonth, 'currency' | 'bill'>,
): MonthTotal {
  const { month, year } = parsePeriod(period)
  const price = moneyText(bill.total, currency)
  return {
    customer,
    month,
    year,
    accumulated_price: price,
    price_in_dollars: dollarTextOf(price, currency),
    currency,
  }
}

/** The month with its event types; without usage it is one of zeros. Throws `invalid_period`, `customer_not_found`. */
export async function showMonth(
  { numbers, groups }: UsageDeps,
  { organizationId }: Caller,
  { id, period }: { id: string; period: string },
): Promise<z.output<typeof MonthAnswer>> {
  parsePeriod(period)
  const met = numbers.metCustomer(organizationId, id)
  const customerNo = met ?? (await numbers.customer(organizationId, id))
  const rated = await groups.rate(organizationId, { customerNo, period })
  if (!rated) throw customerNotFound(id)
  // A month with usage shows that there is such a customer; one without it does not.
  if (met !== undefined && rated.types.length === 0) await numbers.customer(organizationId, id)
  return {
    ...monthTotal(id, period, rated),
    event_types: [...rated.types].sort(byName).map(presentType),
  }
}

/** Names ascend by their bytes, as in the database. */
const byName = (a: TypeUsage, b: TypeUsage): number =>
  Buffer.compare(Buffer.from(a.eventType), Buffer.from(b.eventType))

const presentType = ({ eventType, quantity, events }: TypeUsage) => ({
  event_type: eventType,
  quantity,
  events,
})
