import { decodeCursor, pageOf, route, type Route } from '@billtrail/platform'
import { z } from 'zod'
import type { CatalogueDeps } from '../catalogue-deps'
import { changePlan, createPlan, getPlan, pageOfPlans } from './manage-plans'
import {
  NewPlanBody,
  PlanAnswer,
  PlanChangesBody,
  PlanParams,
  PlansPage,
  PlansQuery,
} from './plans.schema'
import { presentPlan } from './present-plan'

const tag = 'Catalogue'
const CursorKey = z.tuple([z.string()])

export function planRoutes(deps: CatalogueDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/plans',
      summary: 'Make a plan',
      description: 'With `charges` its first version as well: a draft, or with `activate` active.',
      tag,
      body: NewPlanBody,
      bodyBytesMax: 4 * 1024 * 1024,
      answers: {
        201: { description: 'Made', schema: PlanAnswer },
        409: { description: '`plan_exists`' },
        422: { description: '`invalid_plan`: every fault by its path' },
      },
      handler: async ({ body, caller, res }) => {
        const view = await createPlan(deps, caller, body)
        res.status(201).location(`/v1/plans/${view.plan.id}`).json(presentPlan(view))
      },
    }),
    route({
      method: 'get',
      path: '/v1/plans',
      summary: 'List plans',
      tag,
      query: PlansQuery,
      answers: { 200: { description: 'By code', schema: PlansPage } },
      handler: async ({ query, caller, res }) => {
        const [after] = decodeCursor(query.cursor, CursorKey) ?? []
        const rows = await pageOfPlans(deps, caller, { limit: query.limit, after })
        res.json(pageOf(rows, query.limit, presentPlan, ({ plan }) => [plan.code]))
      },
    }),
    route({
      method: 'get',
      path: '/v1/plans/:id',
      summary: 'Show a plan',
      tag,
      params: PlanParams,
      answers: { 200: { description: 'The plan', schema: PlanAnswer } },
      handler: async ({ params, caller, res }) => {
        res.json(presentPlan(await getPlan(deps, caller, params.id)))
      },
    }),
    route({
      method: 'patch',
      path: '/v1/plans/:id',
      summary: 'Rename a plan, or make it the default',
      tag,
      params: PlanParams,
      body: PlanChangesBody,
      answers: {
        200: { description: 'As it is now', schema: PlanAnswer },
        409: { description: '`plan_not_active`: a default plan needs an active version' },
      },
      handler: async ({ params, body, caller, res }) => {
        const view = await changePlan(deps, caller, { idOrCode: params.id, changes: body })
        res.json(presentPlan(view))
      },
    }),
  ]
}
