import type { z } from 'zod'
import type { Subscription } from './subscriptions.repo'
import { Override, type SubscriptionAnswer } from './subscriptions.schema'

export const presentSubscription = (
  subscription: Subscription,
): z.output<typeof SubscriptionAnswer> => ({
  id: subscription.id,
  customer_id: subscription.customerId,
  plan: subscription.plan,
  plan_id: subscription.planId,
  plan_version: subscription.planVersion,
  plan_version_id: subscription.planVersionId,
  start_date: subscription.startAt,
  end_date: subscription.endAt,
  // jsonb keeps no order of fields; the schema puts them back into theirs.
  overrides: subscription.overrides.map((override) => Override.parse(override)),
  created_at: subscription.createdAt,
})
