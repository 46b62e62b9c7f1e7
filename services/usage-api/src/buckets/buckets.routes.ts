import { route, type Route } from '@billtrail/platform'
import type { Request, Response } from 'express'
import type { z } from 'zod'
import type { UsageDeps } from '../usage-deps'
import {
  BucketsAnswer,
  BucketsQuery,
  CustomerBucketsParams,
  CustomerBucketsQuery,
} from './buckets.schema'
import { countUsage, type UsageBuckets } from './count-usage'
import { writeBucketsCsv } from './write-buckets-csv'

const tag = 'usage'
const answers = {
  200: {
    description: 'Buckets with usage, in order; with fill=zero all of them',
    schema: BucketsAnswer,
    contentTypes: ['text/csv'],
  },
}

function presentBuckets(buckets: UsageBuckets, customer?: string): z.output<typeof BucketsAnswer> {
  return {
    data: buckets.rows.map(({ groups, start, quantity, events }) => ({
      start,
      ...Object.fromEntries(buckets.groups.map((group, at) => [group.field, groups[at] ?? null])),
      quantity,
      events,
    })),
    next_cursor: null,
    ...(customer === undefined ? {} : { customer }),
    bucket: buckets.bucket,
    timezone: buckets.timezone,
    start_date: buckets.startDate,
    end_date: buckets.endDate,
  }
}

async function send(
  { req, res }: { req: Request; res: Response },
  buckets: UsageBuckets,
  customer?: string,
): Promise<void> {
  res.vary('Accept')
  if (req.accepts(['json', 'csv']) === 'csv') {
    res.type('text/csv')
    await writeBucketsCsv(buckets, res)
    return
  }
  res.json(presentBuckets(buckets, customer))
}

export function bucketRoutes(deps: UsageDeps): Route[] {
  return [
    route({
      method: 'get',
      path: '/v1/customers/:id/usage',
      summary: "Count a customer's usage by hour, day or month",
      description:
        "Hours, days and months are those of the customer's zone, and as long as they are: a 25-hour day has 25 hours.",
      tag,
      params: CustomerBucketsParams,
      query: CustomerBucketsQuery,
      answers,
      handler: async ({ params, query, caller, req, res }) => {
        const buckets = await countUsage(deps, caller, { ...query, customer_id: params.id })
        await send({ req, res }, buckets, params.id)
      },
    }),
    route({
      method: 'get',
      path: '/v1/usage',
      summary: 'Count usage across customers',
      description:
        "In the zone of the organization; with customer_id in that customer's, as its bills are.",
      tag,
      query: BucketsQuery,
      answers,
      handler: async ({ query, caller, req, res }) => {
        await send({ req, res }, await countUsage(deps, caller, query), query.customer_id)
      },
    }),
  ]
}
