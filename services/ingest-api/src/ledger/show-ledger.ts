import { decimal, toPlain } from '@billtrail/domain'
import { inTransaction } from '@billtrail/platform'
import type { Pool } from 'pg'
import type { z } from 'zod'
import type { LedgerAnswer } from './ledger.schema'
import { type PeriodOfLedger, type RowsOfLedger, sumPeriods, sumRows } from './ledger.repo'

type Answer = z.output<typeof LedgerAnswer>

function rowFaults(rows: RowsOfLedger): string[] {
  const fates = [rows.accepted, rows.duplicates, rows.conflicts, rows.rejected]
    .map(BigInt)
    .reduce((total, count) => total + count, 0n)
  const faults: string[] = []
  if (fates !== BigInt(rows.rows)) {
    faults.push(`Uploads hold ${rows.rows} rows, but ${fates} have a fate.`)
  }
  if (rows.accepted !== rows.events_from_uploads) {
    faults.push(
      `${rows.accepted} rows were accepted, but ${rows.events_from_uploads} events are stored.`,
    )
  }
  return faults
}

function periodFault(period: PeriodOfLedger): string[] {
  if (period.quantity_in_events === period.quantity_in_usage) return []
  return [
    `${period.period}: events hold ${period.quantity_in_events}, usage holds ${period.quantity_in_usage}.`,
  ]
}

/**
 * The first law across the organization: rows by fate, and each month's quantity in events, in usage, billed and
 * not yet billed. All of one moment. `balanced` false comes with `differences` that say where.
 */
export async function showLedger(
  pool: Pool,
  organizationId: string,
  period: string | undefined,
): Promise<Answer> {
  const { rows, periods } = await inTransaction(pool, async (client) => {
    await client.query('set transaction isolation level repeatable read, read only')
    return {
      rows: await sumRows(client, organizationId),
      periods: await sumPeriods(client, organizationId, period),
    }
  })
  const differences = [...rowFaults(rows), ...periods.flatMap(periodFault)]
  return {
    balanced: differences.length === 0,
    differences,
    rows: {
      uploads: Number(rows.uploads),
      rows: Number(rows.rows),
      accepted: Number(rows.accepted),
      duplicates: Number(rows.duplicates),
      conflicts: Number(rows.conflicts),
      rejected: Number(rows.rejected),
    },
    events: {
      from_uploads: Number(rows.events_from_uploads),
      from_api: Number(rows.events_from_api),
    },
    periods: periods.map((month) => ({
      period: month.period,
      events: Number(month.events),
      quantity_in_events: month.quantity_in_events,
      quantity_in_usage: month.quantity_in_usage,
      quantity_billed: month.quantity_billed,
      quantity_unbilled: toPlain(
        decimal(month.quantity_in_usage).minus(decimal(month.quantity_billed)),
      ),
    })),
  }
}
