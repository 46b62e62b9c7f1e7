import { PageQuery, pageSchema, route, type Route, type Sql } from '@billtrail/platform'
import { getBillingRun, pageOfBillingRuns } from './read-billing-runs'
import { requestBillingRun } from './request-billing-run'
import {
  BillingRunAnswer,
  billingRunAnswer,
  BillingRunBody,
  Period,
  RunParams,
} from './billing-runs.schema'

export interface BillingRunDeps {
  readonly sql: Sql
  /** Makes the worker look for work now. */
  readonly wake: () => void
}

const RunQuery = PageQuery.extend({ period: Period.optional() })

export function billingRunRoutes({ sql, wake }: BillingRunDeps): Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/billing-runs',
      summary: 'Bill a month now',
      description:
        'Does for one month what a cycle does. Asked again while it waits or runs, the same run answers.',
      tag: 'Billing runs',
      body: BillingRunBody,
      answers: { 202: { description: 'Queued', schema: BillingRunAnswer } },
      handler: async ({ body, caller, res }) => {
        const { organizationId } = caller
        const run = await requestBillingRun(sql, { organizationId, ...body })
        wake()
        res.status(202).location(`/v1/billing-runs/${run.id}`).json(billingRunAnswer(run))
      },
    }),
    route({
      method: 'get',
      path: '/v1/billing-runs',
      summary: 'Billing runs, the newest first',
      description: 'A cycle that found nothing new leaves no run.',
      tag: 'Billing runs',
      query: RunQuery,
      answers: { 200: { description: 'A page', schema: pageSchema(BillingRunAnswer) } },
      handler: async ({ query, caller, res }) => {
        const { organizationId } = caller
        const { period, limit, cursor } = query
        const page = { organizationId, period, limit, cursor }
        res.json(await pageOfBillingRuns(sql, page, billingRunAnswer))
      },
    }),
    route({
      method: 'get',
      path: '/v1/billing-runs/:id',
      summary: 'One billing run, with its progress and checks',
      tag: 'Billing runs',
      params: RunParams,
      answers: { 200: { description: 'The run', schema: BillingRunAnswer } },
      handler: async ({ params, caller, res }) => {
        const { organizationId } = caller
        const run = await getBillingRun(sql, { organizationId, id: params.id })
        res.json(billingRunAnswer(run))
      },
    }),
  ]
}
