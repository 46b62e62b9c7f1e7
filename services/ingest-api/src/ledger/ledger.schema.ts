import { z } from 'zod'

export const LedgerQuery = z.object({
  period: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'is not a month such as 2026-10')
    .optional(),
})

export const LedgerAnswer = z
  .object({
    balanced: z.boolean(),
    differences: z.array(z.string()).meta({ description: 'Where it is not balanced' }),
    rows: z
      .object({
        uploads: z.int(),
        rows: z.int(),
        accepted: z.int(),
        duplicates: z.int(),
        conflicts: z.int(),
        rejected: z.int(),
      })
      .meta({ description: 'Of all committed uploads' }),
    events: z.object({ from_uploads: z.int(), from_api: z.int() }),
    periods: z.array(
      z.object({
        period: z.string(),
        events: z.int(),
        quantity_in_events: z.string(),
        quantity_in_usage: z.string(),
        quantity_billed: z.string(),
        quantity_unbilled: z.string(),
      }),
    ),
  })
  .meta({ id: 'Ledger' })
