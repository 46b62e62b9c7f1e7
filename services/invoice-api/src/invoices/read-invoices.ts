import { DomainError } from '@billtrail/domain'
import { decodeCursor, type Page, pageOf, type Sql } from '@billtrail/platform'
import { z } from 'zod'
import {
  customerExists,
  findInvoice,
  listInvoices,
  type Invoice,
  type InvoiceHead,
  type InvoiceStatus,
} from './invoices.repo'

export type StatusFilter = InvoiceStatus | 'current' | 'past'

export interface InvoiceSearch {
  readonly organizationId: string
  readonly customerId: string | undefined
  readonly period: string | undefined
  readonly status: StatusFilter | undefined
  readonly limit: number
  readonly cursor: string | undefined
}

const ALL: readonly InvoiceStatus[] = ['draft', 'finalized', 'paid', 'void']
const PAST: readonly InvoiceStatus[] = ['finalized', 'paid', 'void']
const Cursor = z.tuple([z.string(), z.uuid()])

export const invoiceNotFound = (id: string): DomainError =>
  new DomainError('not_found', 'invoice_not_found', `There is no invoice ${id}.`)

/** One invoice of the organization, with its lines. Throws DomainError `invoice_not_found`. */
export async function getInvoice(
  sql: Sql,
  key: { organizationId: string; id: string },
): Promise<Invoice> {
  const invoice = await findInvoice(sql, key)
  if (!invoice) throw invoiceNotFound(key.id)
  return invoice
}

/** A page of invoices, the newest month first. */
export async function pageOfInvoices<Item>(
  sql: Sql,
  search: InvoiceSearch,
  present: (invoice: InvoiceHead) => Item,
): Promise<Page<Item>> {
  const invoices = await listInvoices(sql, {
    organizationId: search.organizationId,
    customerId: search.customerId,
    period: search.period,
    statuses: statusesOf(search.status),
    limit: search.limit + 1,
    after: decodeCursor(search.cursor, Cursor),
  })
  return pageOf(invoices, search.limit, present, (invoice) => [invoice.period, invoice.id])
}

/** Throws DomainError `customer_not_found`, also for a customer of another organization. */
export async function requireCustomer(
  sql: Sql,
  key: { organizationId: string; customerId: string },
): Promise<void> {
  if (await customerExists(sql, key)) return
  const message = `There is no customer ${key.customerId}.`
  throw new DomainError('not_found', 'customer_not_found', message)
}

function statusesOf(status: StatusFilter | undefined): readonly InvoiceStatus[] {
  if (status === undefined) return ALL
  if (status === 'current') return ['draft']
  return status === 'past' ? PAST : [status]
}
