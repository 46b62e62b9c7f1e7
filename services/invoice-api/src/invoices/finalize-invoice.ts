import { billMonths, finalizeInvoices } from '@billtrail/db'
import { DomainError } from '@billtrail/domain'
import { type Caller, inTransaction, type Sql } from '@billtrail/platform'
import type { Pool } from 'pg'
import { givingWay } from '../giving-way'
import { getInvoice, invoiceNotFound } from './read-invoices'
import { lockInvoice, type Invoice } from './invoices.repo'

/**
 * Turns a draft into a document with a number. The month is billed once more in the same transaction, so that usage
 * that has arrived by now is in it. Called again, it answers as the first time.
 *
 * Throws DomainError `invoice_not_found`, `period_not_over`, `invoice_is_void`, `nothing_to_bill`, `busy`.
 */
export async function finalizeInvoice(pool: Pool, caller: Caller, id: string): Promise<Invoice> {
  const key = { organizationId: caller.organizationId, id }
  await givingWay(() => inTransaction(pool, (sql) => finalize(sql, caller, key)))
  return getInvoice(pool, key)
}

async function finalize(
  sql: Sql,
  caller: Caller,
  key: { organizationId: string; id: string },
): Promise<void> {
  const invoice = await lockInvoice(sql, key)
  if (!invoice) throw invoiceNotFound(key.id)
  if (invoice.status === 'void') throw invoiceIsVoid(key.id)
  if (invoice.status !== 'draft') return
  if (!invoice.over) throw periodNotOver(invoice.period)
  if (invoice.billingRunId === null) throw nothingToBill(invoice.period)

  const { organizationId } = key
  const { customerNo, period, billingRunId } = invoice
  await billMonths(sql, { organizationId, billingRunId, months: [{ customerNo, period }] })
  const finalized = await finalizeInvoices(sql, {
    organizationId,
    invoices: [{ customerNo, id: key.id }],
    actor: `key:${caller.keyId}`,
    onlySettled: false,
  })
  if (finalized.length === 0) throw nothingToBill(period)
}

const invoiceIsVoid = (id: string): DomainError =>
  new DomainError('conflict', 'invoice_is_void', `Invoice ${id} is void: it cannot be finalized.`)

const periodNotOver = (period: string): DomainError =>
  new DomainError(
    'conflict',
    'period_not_over',
    `${period} is not over yet for this customer. Finalize the invoice when it is.`,
  )

const nothingToBill = (period: string): DomainError =>
  new DomainError(
    'conflict',
    'nothing_to_bill',
    `The usage of ${period} was withdrawn, so this draft has nothing to bill. The next billing cycle takes it away.`,
  )
