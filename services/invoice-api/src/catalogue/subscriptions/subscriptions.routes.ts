import { decodeCursor, pageOf, route, type Route } from '@billtrail/platform'
import { z } from 'zod'
import type { CatalogueDeps } from '../catalogue-deps'
import {
  changeSubscription,
  createSubscription,
  getSubscription,
  pageOfSubscriptions,
} from './manage-subscriptions'
import { presentSubscription } from './present-subscription'
import {
  NewSubscriptionBody,
  SubscriptionAnswer,
  SubscriptionChangesBody,
  SubscriptionParams,
  SubscriptionsPage,
  SubscriptionsQuery,
} from './subscriptions.schema'

const tag = 'Catalogue'
const CursorKey = z.tuple([z.iso.datetime({ precision: 6 }), z.uuid()])
const overlap = { description: '`subscription_overlaps`: the customer has one in this span' }

export function subscriptionRoutes({ pool }: Pick<CatalogueDeps, 'pool'>): Route[] {
  return [
    route({
      method: 'post',
      path: '/v1/subscriptions',
      summary: 'Put a customer on a plan',
      description:
        'For the half-open span [start_date, end_date). A month in which it begins or ends is split there.',
      tag,
      body: NewSubscriptionBody,
      answers: { 201: { description: 'Made', schema: SubscriptionAnswer }, 409: overlap },
      handler: async ({ body, caller, res }) => {
        const made = await createSubscription(pool, caller, body)
        res.status(201).location(`/v1/subscriptions/${made.id}`).json(presentSubscription(made))
      },
    }),
    route({
      method: 'get',
      path: '/v1/subscriptions',
      summary: 'List subscriptions',
      tag,
      query: SubscriptionsQuery,
      answers: { 200: { description: 'The oldest first', schema: SubscriptionsPage } },
      handler: async ({ query, caller, res }) => {
        const { limit, customer_id: customerId } = query
        const after = decodeCursor(query.cursor, CursorKey)
        const rows = await pageOfSubscriptions(pool, caller, { customerId, limit, after })
        res.json(pageOf(rows, limit, presentSubscription, (one) => [one.createdAt, one.id]))
      },
    }),
    route({
      method: 'get',
      path: '/v1/subscriptions/:id',
      summary: 'Show a subscription',
      tag,
      params: SubscriptionParams,
      answers: { 200: { description: 'The subscription', schema: SubscriptionAnswer } },
      handler: async ({ params, caller, res }) => {
        res.json(presentSubscription(await getSubscription(pool, caller, params.id)))
      },
    }),
    route({
      method: 'patch',
      path: '/v1/subscriptions/:id',
      summary: 'End a subscription, or move its end',
      tag,
      params: SubscriptionParams,
      body: SubscriptionChangesBody,
      answers: {
        200: { description: 'As it is now', schema: SubscriptionAnswer },
        409: overlap,
      },
      handler: async ({ params, body, caller, res }) => {
        const change = { id: params.id, changes: body }
        res.json(presentSubscription(await changeSubscription(pool, caller, change)))
      },
    }),
  ]
}
