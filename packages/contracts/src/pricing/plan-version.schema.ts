import { z } from 'zod'
import { Code } from './meter.schema'
import { Price } from './price.schema'

export const Charge = z
  .strictObject({
    id: Code.optional().meta({ description: "The meter's code, or charge_1, … where left out." }),
    name: z.string().min(1).max(255).optional().meta({ description: 'On the invoice.' }),
    meter: Code.nullable().optional().meta({ description: 'A flat charge needs none.' }),
    price: Price,
    prorate: z.boolean().optional().meta({
      description:
        'Flat amounts, minimum and maximum by days in a partial month; true unless said otherwise.',
    }),
  })
  .meta({
    id: 'Charge',
    example: {
      id: 'api_calls',
      name: 'API calls',
      meter: 'api_calls',
      price: { model: 'per_unit', unit_price: '0.0025' },
    },
  })

/** What a version of a plan says. The plan's currency is not in it. */
export const PlanVersionBody = z
  .strictObject({
    charges: z.array(Charge).min(1).max(200),
    carry_tiers: z.boolean().optional().meta({
      description:
        'In a month split between plans, tiers go on from the part before; else they start anew.',
    }),
  })
  .meta({ id: 'PlanVersionBody' })

export type ChargeJson = z.output<typeof Charge>
export type PlanVersionJson = z.output<typeof PlanVersionBody>
