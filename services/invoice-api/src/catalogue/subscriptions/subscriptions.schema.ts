import { Price } from '@billtrail/contracts'
import { PageQuery, pageSchema } from '@billtrail/platform'
import { z } from 'zod'

const CustomerId = z
  .string()
  .min(1)
  .max(255)
  .meta({ examples: ['123'] })

const When = z
  .string()
  .max(64)
  .meta({
    description: "RFC 3339, or a date alone: midnight in the customer's time zone.",
    examples: ['2026-03-16'],
  })

export const Override = z
  .strictObject({
    charge_id: z.string().min(1).max(64).meta({ description: "A charge of the plan's version." }),
    price: Price,
  })
  .meta({ id: 'Override', description: "A charge's price for this customer alone." })
export type OverrideJson = z.output<typeof Override>

export const NewSubscriptionBody = z
  .strictObject({
    customer_id: CustomerId,
    plan: z.string().min(1).max(64).optional().meta({
      description: "A plan's code or id: its active version. This or `plan_version_id`.",
    }),
    plan_version_id: z.uuid().optional(),
    start_date: When,
    end_date: When.nullable().optional().meta({
      description: 'The first instant it does not hold for any more; null or left out: none.',
    }),
    overrides: z.array(Override).max(200).optional(),
  })
  .refine((body) => (body.plan === undefined) !== (body.plan_version_id === undefined), {
    path: ['plan'],
    message: 'Send plan or plan_version_id',
  })
  .meta({
    id: 'NewSubscription',
    example: {
      customer_id: '123',
      plan: 'pro',
      start_date: '2026-03-16',
      overrides: [{ charge_id: 'api_calls', price: { model: 'per_unit', unit_price: '0.002' } }],
    },
  })
export type NewSubscription = z.output<typeof NewSubscriptionBody>

export const SubscriptionChangesBody = z
  .strictObject({ end_date: When.nullable() })
  .meta({ id: 'SubscriptionChanges', example: { end_date: '2026-06-01' } })
export type SubscriptionChanges = z.output<typeof SubscriptionChangesBody>

export const SubscriptionParams = z.object({ id: z.uuid() })
export const SubscriptionsQuery = PageQuery.extend({ customer_id: CustomerId.optional() })

export const SubscriptionAnswer = z
  .object({
    id: z.uuid(),
    customer_id: CustomerId,
    plan: z.string(),
    plan_id: z.uuid(),
    plan_version: z.int(),
    plan_version_id: z.uuid(),
    start_date: z.string(),
    end_date: z.string().nullable(),
    overrides: z.array(Override),
    created_at: z.string(),
  })
  .meta({ id: 'Subscription' })
export const SubscriptionsPage = pageSchema(SubscriptionAnswer)
