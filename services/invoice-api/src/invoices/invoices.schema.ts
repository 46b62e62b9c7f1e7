import { Charge, RatedLine } from '@billtrail/contracts'
import { moneyText, decimal, sum } from '@billtrail/domain'
import { PageQuery, pageSchema } from '@billtrail/platform'
import { z } from 'zod'
import type { Invoice, InvoiceHead } from './invoices.repo'

const Period = z
  .string()
  .regex(/^\d{4}-(?:0[1-9]|1[0-2])$/, 'Write the month like 2026-03')
  .meta({ examples: ['2026-03'] })

const Status = z.enum(['draft', 'finalized', 'paid', 'void'])

const filters = {
  status: z
    .enum([...Status.options, 'current', 'past'])
    .optional()
    .meta({ description: '`current`: drafts; `past`: finalized, paid and void; or one status.' }),
  period: Period.optional(),
}

export const InvoicesQuery = PageQuery.extend({
  customer_id: z.string().min(1).max(255).optional(),
  ...filters,
})
export const CustomerInvoicesQuery = PageQuery.extend(filters)

export const InvoiceParams = z.object({ id: z.uuid() })
export const CustomerParams = z.object({ id: z.string().min(1).max(255) })

const head = {
  id: z.uuid(),
  number: z.string().nullable().meta({ description: 'Given when it is finalized, without gaps.' }),
  status: Status,
  customer: z.object({ id: z.string(), name: z.string().nullable() }),
  period: Period,
  period_start: z.string(),
  period_end: z.string().meta({ description: 'The month is [period_start, period_end).' }),
  currency: z.string(),
  quantity: z.string(),
  total: z.string(),
  as_of: z.string().meta({ description: 'Usage that had arrived by then is counted in.' }),
  created_at: z.string(),
  finalized_at: z.string().nullable(),
  paid_at: z.string().nullable(),
  voided_at: z.string().nullable(),
}

export const InvoiceHeadAnswer = z.object(head).meta({ id: 'InvoiceSummary' })
export const InvoicesPage = pageSchema(InvoiceHeadAnswer)

const LineItemAnswer = z
  .object({
    charge_id: z.string(),
    kind: z.enum(['charge', 'true_up', 'savings']),
    description: z.string(),
    quantity: z.string(),
    unrounded_amount: z.string(),
    amount: z.string().meta({ description: 'Rounded once, half up, to the currency.' }),
    group_properties: z.record(z.string(), z.string()).optional(),
    sub_line_items: z.array(RatedLine).meta({ description: 'The arithmetic of the line.' }),
  })
  .meta({ id: 'LineItem' })

const TaxAnswer = z
  .object({
    name: z.string(),
    percent: z.string(),
    inclusive: z.boolean().meta({ description: 'It is in the lines already.' }),
    base: z.string(),
    amount: z.string().meta({ description: 'Rounded once, half up, to the currency.' }),
  })
  .meta({ id: 'TaxLine' })

const plan = {
  version_id: z.uuid(),
  code: z.string(),
  name: z.string(),
  version: z.int(),
  currency: z.string(),
  charges: z.array(Charge),
  carry_tiers: z.boolean().optional(),
}

export const InvoiceAnswer = z
  .object({
    ...head,
    subtotal: z.string().meta({
      description: 'The sum of the lines. The total is this and the taxes that are not inclusive.',
    }),
    plan: z.object({
      ...plan,
      parts: z
        .array(z.object({ ...plan, from: z.string(), to: z.string() }))
        .optional()
        .meta({ description: 'Of a month split between plans: each for [from, to).' }),
    }),
    line_items: z.array(LineItemAnswer),
    taxes: z.array(TaxAnswer),
  })
  .meta({ id: 'Invoice' })

export function invoiceHeadAnswer(invoice: InvoiceHead): z.input<typeof InvoiceHeadAnswer> {
  return {
    id: invoice.id,
    number: invoice.number,
    status: invoice.status,
    customer: { id: invoice.customerId, name: invoice.customerName },
    period: invoice.period,
    period_start: invoice.periodStart,
    period_end: invoice.periodEnd,
    currency: invoice.currency,
    quantity: invoice.quantity,
    total: moneyText(decimal(invoice.total), invoice.currency),
    as_of: invoice.asOf,
    created_at: invoice.createdAt,
    finalized_at: invoice.finalizedAt,
    paid_at: invoice.paidAt,
    voided_at: invoice.voidedAt,
  }
}

export function invoiceAnswer(invoice: Invoice): object {
  const { currency, lines, plan } = invoice
  const subtotal = sum(lines.map((line) => decimal(line.amount)))
  return {
    ...invoiceHeadAnswer(invoice),
    subtotal: moneyText(subtotal, currency),
    plan,
    line_items: lines,
    taxes: invoice.taxes,
  }
}
