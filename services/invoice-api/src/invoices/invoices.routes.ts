import { route, type Route } from '@billtrail/platform'
import type { InvoiceDeps } from '../invoice-deps'
import { finalizeInvoice } from './finalize-invoice'
import { invoiceCsv } from './invoice-csv'
import {
  CustomerInvoicesQuery,
  CustomerParams,
  InvoiceAnswer,
  invoiceAnswer,
  invoiceHeadAnswer,
  InvoiceParams,
  InvoicesPage,
  InvoicesQuery,
} from './invoices.schema'
import { getInvoice, pageOfInvoices, requireCustomer } from './read-invoices'

const tag = 'Invoices'

export function invoiceRoutes({ pool }: InvoiceDeps): Route[] {
  return [...listRoutes(pool), ...documentRoutes(pool)]
}

function listRoutes(pool: InvoiceDeps['pool']): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/invoices',
      summary: 'Invoices, the newest month first',
      tag,
      query: InvoicesQuery,
      answers: { 200: { description: 'A page', schema: InvoicesPage } },
      handler: async ({ query, caller, res }) => {
        const { organizationId } = caller
        const { customer_id: customerId, period, status, limit, cursor } = query
        const search = { organizationId, customerId, period, status, limit, cursor }
        res.json(await pageOfInvoices(pool, search, invoiceHeadAnswer))
      },
    }),
    route({
      method: 'get',
      path: '/v1/customers/:id/invoices',
      summary: "One customer's invoices, the newest month first",
      tag,
      params: CustomerParams,
      query: CustomerInvoicesQuery,
      answers: { 200: { description: 'A page', schema: InvoicesPage } },
      handler: async ({ params, query, caller, res }) => {
        const { organizationId } = caller
        await requireCustomer(pool, { organizationId, customerId: params.id })
        const { period, status, limit, cursor } = query
        const search = { organizationId, customerId: params.id, period, status, limit, cursor }
        res.json(await pageOfInvoices(pool, search, invoiceHeadAnswer))
      },
    }),
  ]
}

function documentRoutes(pool: InvoiceDeps['pool']): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/invoices/:id.csv',
      summary: 'The lines of an invoice as CSV',
      tag,
      params: InvoiceParams,
      answers: { 200: { description: 'A row for each line and step', contentTypes: ['text/csv'] } },
      handler: async ({ params, caller, res }) => {
        const { organizationId } = caller
        const invoice = await getInvoice(pool, { organizationId, id: params.id })
        res.type('text/csv; charset=utf-8')
        res.setHeader('content-disposition', `attachment; filename="invoice-${invoice.id}.csv"`)
        res.send(await invoiceCsv(invoice))
      },
    }),
    route({
      method: 'get',
      path: '/v1/invoices/:id',
      summary: 'One invoice with its lines and their arithmetic',
      tag,
      params: InvoiceParams,
      answers: { 200: { description: 'The invoice', schema: InvoiceAnswer } },
      handler: async ({ params, caller, res }) => {
        const { organizationId } = caller
        res.json(invoiceAnswer(await getInvoice(pool, { organizationId, id: params.id })))
      },
    }),
    route({
      method: 'post',
      path: '/v1/invoices/:id/finalize',
      summary: 'Turn a draft into a document that never changes',
      description: 'Called again it answers as the first time.',
      tag,
      params: InvoiceParams,
      answers: {
        200: { description: 'The finalized invoice', schema: InvoiceAnswer },
        409: { description: '`period_not_over`, `nothing_to_bill`, `invoice_is_void`' },
      },
      handler: async ({ params, caller, res }) => {
        res.json(invoiceAnswer(await finalizeInvoice(pool, caller, params.id)))
      },
    }),
  ]
}
