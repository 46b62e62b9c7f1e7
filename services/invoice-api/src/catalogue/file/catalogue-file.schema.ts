import { Code, Meter, PlanVersionBody } from '@billtrail/contracts'
import { z } from 'zod'
import { PlanCurrency, PlanName, VersionState } from '../plans/plans.schema'

const FileVersion = z
  .strictObject({
    version: z.int().min(1).max(2_147_483_647),
    state: VersionState.optional().meta({ description: 'Left out: active.' }),
    ...PlanVersionBody.shape,
  })
  .meta({ id: 'CatalogueVersion' })

const FilePlan = z
  .strictObject({
    code: Code,
    name: PlanName.optional(),
    currency: PlanCurrency,
    versions: z.array(FileVersion).max(1000),
  })
  .meta({ id: 'CataloguePlan' })

interface Named {
  readonly code: string
}

function checkTwice(items: readonly Named[], list: string, context: z.RefinementCtx): void {
  items.forEach(({ code }, at) => {
    if (!items.slice(0, at).some((earlier) => earlier.code === code)) return
    const message = `An earlier one has the code ${code}`
    context.addIssue({ code: 'custom', path: [list, at, 'code'], message })
  })
}

/** A whole catalogue: billing as code. What a file does not name stays as it is. */
export const CatalogueFile = z
  .strictObject({
    default_plan: Code.optional().meta({
      description: 'The plan of customers without a subscription.',
    }),
    meters: z.array(Meter).max(1000).optional(),
    plans: z.array(FilePlan).max(1000).optional(),
  })
  .superRefine(({ meters = [], plans = [] }, context) => {
    checkTwice(meters, 'meters', context)
    checkTwice(plans, 'plans', context)
    plans.forEach(({ versions }, plan) => {
      versions.forEach(({ version, state = 'active' }, at) => {
        const earlier = versions.slice(0, at)
        const fault = (field: string, message: string) =>
          context.addIssue({
            code: 'custom',
            path: ['plans', plan, 'versions', at, field],
            message,
          })
        if (earlier.some((one) => one.version === version)) {
          fault('version', `Version ${version} is in the file twice`)
        }
        if (state === 'active' && earlier.some((one) => (one.state ?? 'active') === 'active')) {
          fault('state', 'An earlier version is active, and a plan has one: say which are retired')
        }
      })
    })
  })
  .meta({
    id: 'Catalogue',
    example: {
      default_plan: 'pro',
      meters: [{ code: 'calls', event_type: 'api_call', aggregation: 'count' }],
      plans: [
        {
          code: 'pro',
          currency: 'USD',
          versions: [
            {
              version: 1,
              charges: [{ meter: 'calls', price: { model: 'per_unit', unit_price: '0.0025' } }],
            },
          ],
        },
      ],
    },
  })

export type CatalogueJson = z.output<typeof CatalogueFile>
export type FilePlanJson = z.output<typeof FilePlan>
export type FileVersionJson = z.output<typeof FileVersion>

export const CatalogueQuery = z.object({
  dry_run: z
    .enum(['true', 'false'])
    .optional()
    .transform((text) => text === 'true')
    .meta({ description: 'Answers what would change, and changes nothing.' }),
})

export const CatalogueChange = z.object({
  action: z.enum(['create', 'change', 'activate', 'retire', 'make_default']),
  object: z.enum(['meter', 'plan', 'plan_version']),
  code: z.string(),
  version: z.int().optional(),
  fields: z.array(z.string()).optional().meta({ description: 'Of a change: what differs.' }),
})
export type CatalogueChangeJson = z.output<typeof CatalogueChange>

export const CatalogueAnswer = z
  .object({ dry_run: z.boolean(), changes: z.array(CatalogueChange) })
  .meta({ id: 'CatalogueChanges' })
