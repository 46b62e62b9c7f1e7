import { createHash } from 'node:crypto'
import { decimal, moneyText, toPlain, ZERO, type Decimal } from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'
import type { FileCheck } from '../checks/run-checks'
import type { BilledOrganization } from '../cycle/organizations.repo'
import { readRowsByCustomer, readRowsByName, sumBills } from './bill-rows.repo'
import { billableCustomersText, type BillableRow } from './billable-customers-text'
import type { FileTotals } from './billable-files.repo'
import type { FileTarget } from './plan-files'

export interface BuiltFile {
  readonly target: FileTarget
  readonly bytes: Buffer
  /** Hexadecimal. */
  readonly sha256: string
  readonly rows: number
  readonly totals: FileTotals
  readonly check: FileCheck
}

/** Makes a file's content out of the bills as they are, and holds its rows against them. */
export async function buildFile(
  sql: Sql,
  organization: BilledOrganization,
  target: FileTarget,
): Promise<BuiltFile> {
  const scope = { organizationId: organization.id, period: target.period }
  const byName = organization.groupBy === 'name'
  const rows = await (byName ? readRowsByName(sql, scope) : readRowsByCustomer(sql, scope))
  const bills = await sumBills(sql, scope)
  const bytes = Buffer.from(billableCustomersText(rows))
  const totals = totalsOf(rows)
  const amountsEqual = byName || sameAmounts(totals.amounts, bills.amounts)
  return {
    target,
    bytes,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    rows: rows.length,
    totals,
    check: {
      key: target.key,
      rows: rows.length,
      quantity: totals.quantity,
      bills_quantity: bills.quantity,
      amounts: totals.amounts,
      bills_amounts: bills.amounts,
      amounts_compared: !byName,
      balanced: amountsEqual && decimal(totals.quantity).eq(decimal(bills.quantity)),
    },
  }
}

function totalsOf(rows: readonly BillableRow[]): FileTotals {
  let quantity = ZERO
  const amounts = new Map<string, Decimal>()
  for (const row of rows) {
    quantity = quantity.plus(decimal(row.quantity))
    amounts.set(row.currency, (amounts.get(row.currency) ?? ZERO).plus(decimal(row.amount)))
  }
  const texts = [...amounts].map(([currency, amount]) => [currency, moneyText(amount, currency)])
  return {
    quantity: toPlain(quantity),
    amounts: Object.fromEntries(texts.sort()) as FileTotals['amounts'],
  }
}

function sameAmounts(a: FileTotals['amounts'], b: FileTotals['amounts']): boolean {
  const currencies = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...currencies].every((currency) =>
    decimal(a[currency] ?? '0').eq(decimal(b[currency] ?? '0')),
  )
}
