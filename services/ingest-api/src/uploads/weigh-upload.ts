import { type Month, type RatedMonth, rateMonths } from '@billtrail/db'
import { toPlain } from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'
import { type Effect, monthsOfUpload } from './preview.repo'
import type { UploadRow } from './uploads.repo'

const MONTHS_AT_ONCE = 2_000

/**
 * What an upload does to each customer's month: usage and money without it and with it, by the one rating function.
 * `after` is the transaction in which the upload is stored, `before` sees the database without it. Some thousand months
 * at a time, so that memory does not grow with the number of customers.
 */
export async function* weighUpload(
  sql: { before: Sql; after: Sql },
  upload: UploadRow,
): AsyncGenerator<Effect[]> {
  const { organization_id: organizationId, upload_no: uploadNo } = upload
  const months = await monthsOfUpload(sql.after, uploadNo)
  for (let at = 0; at < months.length; at += MONTHS_AT_ONCE) {
    const some: Month[] = months.slice(at, at + MONTHS_AT_ONCE)
    const before = await rateMonths(sql.before, { organizationId, months: some })
    const after = await rateMonths(sql.after, { organizationId, months: some })
    const effects: Effect[] = []
    const known = new Map(before.map((month) => [keyOf(month), month]))
    for (const month of after) {
      const old = known.get(keyOf(month))
      effects.push({
        customerNo: month.customerNo,
        period: month.period,
        currency: month.currency,
        quantityBefore: old ? toPlain(old.quantity) : '0',
        quantityAfter: toPlain(month.quantity),
        amountBefore: old ? toPlain(old.bill.total) : '0',
        amountAfter: toPlain(month.bill.total),
      })
    }
    yield effects
  }
}

/** A month split between plans of two currencies has a bill in each. */
const keyOf = (month: RatedMonth): string => `${month.customerNo} ${month.period} ${month.currency}`
