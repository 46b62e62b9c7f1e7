import { Charge, Code, PlanVersionBody } from '@billtrail/contracts'
import { isCurrency } from '@billtrail/domain'
import { PageQuery, pageSchema } from '@billtrail/platform'
import { z } from 'zod'

export const PlanName = z
  .string()
  .min(1)
  .max(255)
  .meta({ examples: ['Pro'] })

export const PlanCurrency = z
  .string()
  .refine(isCurrency, 'is not a currency code of ISO 4217 in capitals, like USD')
  .meta({
    description: "ISO 4217; never changes. Left out: the organization's.",
    examples: ['USD'],
  })

const examplePrices = [
  { meter: 'api_calls', price: { model: 'per_unit', unit_price: '0.0025', free_units: '1000' } },
  {
    id: 'platform_fee',
    name: 'Platform fee',
    price: { model: 'flat', amount: '49.00' },
  },
]

export const NewPlanBody = z
  .strictObject({
    code: Code,
    name: PlanName.optional(),
    currency: PlanCurrency.optional(),
    charges: PlanVersionBody.shape.charges.optional().meta({
      description: 'Makes version 1 as well.',
    }),
    carry_tiers: PlanVersionBody.shape.carry_tiers,
    activate: z.boolean().optional().meta({ description: 'Activates version 1 at once.' }),
  })
  .meta({
    id: 'NewPlan',
    example: { code: 'pro', name: 'Pro', currency: 'USD', charges: examplePrices, activate: true },
  })
export type NewPlan = z.output<typeof NewPlanBody>

export const PlanChangesBody = z
  .strictObject({
    name: PlanName.optional(),
    default: z.literal(true).optional().meta({
      description: 'Customers without a subscription are on this plan from now on.',
    }),
  })
  .meta({ id: 'PlanChanges', example: { name: 'Pro (2026)' } })
export type PlanChanges = z.output<typeof PlanChangesBody>

export const NewVersionBody = PlanVersionBody.extend({
  activate: z.boolean().optional().meta({ description: 'Else it is a draft.' }),
}).meta({ id: 'NewPlanVersion', example: { charges: examplePrices, activate: true } })
export type NewVersion = z.output<typeof NewVersionBody>

export const VersionChangesBody = PlanVersionBody.partial().meta({
  id: 'PlanVersionChanges',
  description: 'What is absent stays; charges are replaced as a whole.',
})
export type VersionChanges = z.output<typeof VersionChangesBody>

const PlanKey = z.string().min(1).max(64).meta({ description: "The plan's id or its code." })
export const PlanParams = z.object({ id: PlanKey })
export const VersionParams = z.object({
  id: PlanKey,
  version: z.coerce.number().int().min(1).max(2_147_483_647),
})

export const VersionState = z.enum(['draft', 'active', 'retired'])

export const VersionAnswer = z
  .object({
    id: z.uuid(),
    plan_id: z.uuid(),
    plan: Code,
    version: z.int(),
    state: VersionState,
    currency: z.string(),
    charges: z.array(Charge),
    carry_tiers: z.boolean(),
    created_at: z.string(),
    activated_at: z.string().nullable(),
    retired_at: z.string().nullable(),
  })
  .meta({ id: 'PlanVersion' })
export const VersionsPage = pageSchema(VersionAnswer)
export const VersionsQuery = PageQuery

export const PlanAnswer = z
  .object({
    id: z.uuid(),
    code: Code,
    name: z.string(),
    currency: z.string(),
    default: z.boolean().meta({ description: 'The plan of customers without a subscription.' }),
    active_version: VersionAnswer.nullable(),
    created_at: z.string(),
  })
  .meta({ id: 'Plan' })
export const PlansPage = pageSchema(PlanAnswer)
export const PlansQuery = PageQuery
