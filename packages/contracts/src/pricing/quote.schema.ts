import { z } from 'zod'
import { DecimalText } from './decimal-text.schema'
import { checkMeterRule, Code, meterRule } from './meter.schema'
import { Price } from './price.schema'

const Properties = z.record(z.string().min(1).max(100), z.string().max(8192))

const Period = z.string().regex(/^\d{4}-(?:0[1-9]|1[0-2])$/, 'Write the period like 2026-03')

const DateText = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}(?:T00:00:00(?:\.0+)?Z)?$/, 'Write a date like 2026-03-15')

export const QuoteEvent = z.strictObject({
  quantity: DecimalText.optional().meta({ description: '1 where left out.' }),
  unit_price: DecimalText.optional(),
  event_type: z.string().min(1).max(255).optional(),
  properties: Properties.optional(),
  event_date: z
    .string()
    .max(64)
    .optional()
    .meta({ examples: ['2026-03-01T00:00:00Z'] }),
})

export const QuoteMeter = z
  .strictObject({
    code: Code.optional(),
    name: z.string().max(255).optional(),
    ...meterRule,
    period: Period.optional().meta({
      description:
        'The month (UTC) of a weighted sum; the month of the first event where left out.',
    }),
    carried_in: DecimalText.optional().meta({
      description: 'The value a weighted sum begins with; 0 where left out.',
    }),
  })
  .superRefine(checkMeterRule)

export const QuoteRequest = z
  .strictObject({
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/, 'Write a code of ISO 4217 like USD')
      .optional()
      .meta({
        description: 'USD where left out.',
      }),
    price: Price,
    quantity: DecimalText.optional(),
    events: z.array(QuoteEvent).max(10_000).optional(),
    meter: QuoteMeter.optional().meta({
      description: 'How events become a quantity; the sum of their quantities where left out.',
    }),
    groups: z
      .array(z.strictObject({ properties: Properties, quantity: DecimalText }))
      .max(10_000)
      .optional()
      .meta({ description: 'Each group is rated by itself; of a matrix each is a combination.' }),
    proration: z
      .strictObject({ from: DateText, to: DateText, period: Period })
      .optional()
      .meta({ description: 'The days [from, to) of the period that the price applied.' }),
  })
  .superRefine((request, context) => {
    const given = [request.quantity, request.events, request.groups].filter(
      (usage) => usage !== undefined,
    )
    const needed = request.price.model !== 'flat'
    if (given.length > 1 || (given.length === 0 && needed)) {
      const message = 'Send one of quantity, events and groups'
      context.addIssue({ code: 'custom', path: ['quantity'], message })
    }
    if (request.meter !== undefined && request.events === undefined) {
      context.addIssue({ code: 'custom', path: ['meter'], message: 'A meter needs events' })
    }
  })
  .meta({
    id: 'QuoteRequest',
    example: {
      currency: 'USD',
      price: {
        model: 'volume',
        tiers: [
          { up_to: '10', unit_price: '5.00' },
          { up_to: '20', unit_price: '4.00' },
          { up_to: null, unit_price: '3.00' },
        ],
      },
      quantity: '15',
    },
  })

/** One step of the arithmetic, unrounded: with a unit price, amount = units × unit_price + flat_fee. */
export const RatedLine = z
  .object({
    kind: z.enum(['usage', 'fee', 'free_units', 'discount', 'true_up', 'savings', 'unpriced']),
    description: z.string(),
    units: z.string(),
    unit_price: z.string().nullable(),
    flat_fee: z.string(),
    amount: z.string(),
    tier: z.object({ from: z.string(), up_to: z.string().nullable() }).optional(),
    reason: z.string().optional(),
    properties: z.record(z.string(), z.string()).optional(),
  })
  .meta({ id: 'RatedLine' })

export const QuoteResponse = z
  .object({
    amount: z.string().meta({ description: 'Rounded to the currency.' }),
    currency: z.string(),
    unrounded_amount: z.string(),
    lines: z.array(RatedLine),
  })
  .meta({
    id: 'QuoteResponse',
    example: {
      amount: '60.00',
      currency: 'USD',
      unrounded_amount: '60',
      lines: [
        {
          kind: 'usage',
          description: "15 units at 4.00 (tier 11–20: every unit at the tier's price)",
          units: '15',
          unit_price: '4',
          flat_fee: '0',
          amount: '60',
          tier: { from: '10', up_to: '20' },
        },
      ],
    },
  })

export type QuoteRequestJson = z.output<typeof QuoteRequest>
export type QuoteResponseJson = z.output<typeof QuoteResponse>
export type RatedLineJson = z.output<typeof RatedLine>
