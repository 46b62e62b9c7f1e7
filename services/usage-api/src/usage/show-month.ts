import { rateMonths } from '@billtrail/db'
import { dollarText, moneyText, parsePeriod } from '@billtrail/domain'
import type { Caller } from '@billtrail/platform'
import type { z } from 'zod'
import { customerNotFound } from '../customers/customer-not-found'
import type { UsageDeps } from '../usage-deps'
import { preparedSql } from './prepared-sql'
import { findMonthByType } from './usage.repo'
import type { MonthAnswer } from './usage.schema'

export interface MonthTotal {
  readonly customer: string
  readonly month: number
  readonly year: number
  readonly accumulated_price: string
  readonly price_in_dollars: string
  readonly currency: string
}

/** What a customer's month comes to now: always the total, never a step of it. */
export async function monthTotal(
  deps: UsageDeps,
  caller: Caller,
  of: { customer: string; customerNo: number; period: string },
): Promise<MonthTotal> {
  const { customer, customerNo, period } = of
  const [rated] = await rateMonths(preparedSql(deps.pointPool), {
    organizationId: caller.organizationId,
    months: [{ customerNo, period }],
  })
  if (!rated) throw customerNotFound(customer)
  const { total } = rated.bill
  return {
    customer,
    ...parsePeriod(period),
    accumulated_price: moneyText(total, rated.currency),
    price_in_dollars: dollarText(total, rated.currency),
    currency: rated.currency,
  }
}

/** The month with its event types; without usage it is one of zeros. Throws `invalid_period`, `customer_not_found`. */
export async function showMonth(
  deps: UsageDeps,
  caller: Caller,
  { id, period }: { id: string; period: string },
): Promise<z.output<typeof MonthAnswer>> {
  parsePeriod(period)
  const customerNo = await deps.numbers.customer(caller.organizationId, id)
  const [total, types] = await Promise.all([
    monthTotal(deps, caller, { customer: id, customerNo, period }),
    findMonthByType(preparedSql(deps.pointPool), { customerNo, period }),
  ])
  return { ...total, event_types: types }
}
