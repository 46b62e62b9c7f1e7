import { z } from 'zod'

const DecimalInput = z
  .union([z.string(), z.number()], 'send text or a plain number')
  .meta({ example: '3', description: 'Decimal text, or a plain number of at most 15 digits' })

export const UsageParams = z.object({ id: z.string() })
export const MonthParams = z.object({
  id: z.string(),
  period: z.string().meta({ description: '`YYYY-MM`, in the zone of the customer' }),
})

export const UsageBody = z.strictObject({
  event_type: z.string(),
  quantity: DecimalInput.nullable().optional().meta({ description: '1 when left out' }),
  unit_price: DecimalInput.nullable()
    .optional()
    .meta({ description: 'Prices this event by itself, outside the tiers of the plan' }),
  event_id: z.string().nullable().optional(),
  event_date: z
    .string()
    .nullable()
    .optional()
    .meta({ description: "When it happened; without an offset in the organization's zone" }),
  properties: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .nullable()
    .optional()
    .meta({ description: 'Flat; empty text and null are no property' }),
})

export type UsageInput = z.output<typeof UsageBody>

/** What the server may choose when the caller leaves it out. */
export const GENERATED = ['event_id', 'event_date'] as const

const Money = {
  accumulated_price: z.string().meta({
    description: "The month's rated total, a decimal with the currency's places",
    example: '1050.00',
  }),
  price_in_dollars: z.string().meta({ description: 'The same to read', example: '$1,050.00' }),
}

const MonthName = {
  customer: z.string(),
  month: z.int().min(1).max(12),
  year: z.int(),
}

export const UsageAnswer = z
  .object({
    event: z.object({
      customer_id: z.string(),
      event_type: z.string(),
      event_id: z.string(),
      event_date: z.string(),
      quantity: z.string(),
      unit_price: z.string().nullable(),
      properties: z.record(z.string(), z.string()),
      generated: z
        .array(z.enum(GENERATED))
        .meta({ description: 'What the request left out and the server chose' }),
    }),
    month: z.object({
      id: z.string().meta({ description: 'Customer and month', example: '123:2026-03' }),
      ...MonthName,
      ...Money,
    }),
    duplicate: z
      .literal(true)
      .optional()
      .meta({ description: 'Known before; nothing was counted' }),
  })
  .meta({ id: 'RecordedUsage' })

export const MonthAnswer = z
  .object({
    ...MonthName,
    ...Money,
    currency: z.string(),
    event_types: z.array(
      z.object({ event_type: z.string(), quantity: z.string(), events: z.int() }),
    ),
  })
  .meta({ id: 'UsageMonth' })
