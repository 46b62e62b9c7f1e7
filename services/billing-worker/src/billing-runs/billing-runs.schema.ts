import { z } from 'zod'
import type { BillingRun } from './billing-runs.repo'

export const Period = z
  .string()
  .regex(/^\d{4}-(?:0[1-9]|1[0-2])$/, 'Write the month like 2026-03')
  .meta({ examples: ['2026-03'] })

export const BillingRunBody = z
  .strictObject({
    period: Period,
    finalize: z.boolean().default(false).meta({
      description:
        'Finalize the month at once, without waiting for the grace period. It must be over.',
    }),
  })
  .meta({ id: 'BillingRunBody', example: { period: '2026-03', finalize: true } })

export const RunParams = z.object({ id: z.uuid() })

const Amounts = z.record(z.string(), z.string())

const Checks = z
  .object({
    balanced: z.boolean(),
    periods: z.array(
      z.object({
        period: z.string(),
        months: z.int().meta({ description: 'Customer months looked at.' }),
        events_quantity: z.string(),
        usage_quantity: z.string(),
        billed_quantity: z.string(),
        unbilled_quantity: z.string().meta({
          description: 'Usage that arrived after the invoice of its month was finalized.',
        }),
        months_off: z.int(),
        totals_off: z.int(),
        balanced: z.boolean(),
      }),
    ),
    files: z.array(
      z.object({
        key: z.string(),
        rows: z.int(),
        quantity: z.string(),
        bills_quantity: z.string(),
        amounts: Amounts,
        bills_amounts: Amounts,
        amounts_compared: z.boolean(),
        balanced: z.boolean(),
      }),
    ),
  })
  .meta({
    id: 'BillingRunChecks',
    description: 'The results held against the law of conservation.',
  })

export const BillingRunAnswer = z
  .object({
    id: z.uuid(),
    trigger: z.enum(['cycle', 'request']),
    period: z
      .string()
      .nullable()
      .meta({ description: 'null: a cycle, over every month that changed.' }),
    finalize: z.boolean(),
    state: z.enum(['queued', 'running', 'completed', 'failed']),
    progress: z.object({
      customers_total: z.int(),
      customers_billed: z.int(),
      invoices_finalized: z.int(),
    }),
    checks: Checks.nullable(),
    failure: z.object({ code: z.string(), message: z.string() }).nullable(),
    requested_at: z.string(),
    started_at: z.string().nullable(),
    completed_at: z.string().nullable(),
  })
  .meta({ id: 'BillingRun' })

export function billingRunAnswer(run: BillingRun): z.input<typeof BillingRunAnswer> {
  return {
    id: run.id,
    trigger: run.trigger,
    period: run.period,
    finalize: run.finalize,
    state: run.state,
    progress: {
      customers_total: run.customersTotal,
      customers_billed: run.customersBilled,
      invoices_finalized: run.invoicesFinalized,
    },
    checks: run.checks && {
      balanced: run.checks.balanced,
      periods: run.checks.periods.map((check) => ({ ...check })),
      files: run.checks.files.map((check) => ({
        ...check,
        amounts: { ...check.amounts },
        bills_amounts: { ...check.bills_amounts },
      })),
    },
    failure: run.failure,
    requested_at: run.requestedAt,
    started_at: run.startedAt,
    completed_at: run.completedAt,
  }
}
