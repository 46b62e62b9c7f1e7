import {
  parsePlanVersion,
  Meter as MeterSchema,
  toMeter,
  invalidFields,
} from '@billtrail/contracts'
import { queueSpanMonths, writeAudit } from '@billtrail/db'
import {
  DomainError,
  type FieldError,
  instantText,
  isFault,
  localClock,
  parseEventDate,
  REJECT_REASONS,
} from '@billtrail/domain'
import { type Caller, inTransaction, type Sql } from '@billtrail/platform'
import type { Pool } from 'pg'
import { holdMeters } from '../plans/plans.repo'
import { planNotFound, planNotActive } from '../plans/plan-faults'
import {
  findOffer,
  findSubscriber,
  findSubscription,
  insertSubscription,
  listSubscriptions,
  lockSubscription,
  type OfferedVersion,
  overlaps,
  type Subscription,
  updateEnd,
} from './subscriptions.repo'
import type { NewSubscription, OverrideJson, SubscriptionChanges } from './subscriptions.schema'

/** Throws DomainError `subscription_not_found`. */
export async function getSubscription(sql: Sql, caller: Caller, id: string): Promise<Subscription> {
  const { organizationId } = caller
  const subscription = await findSubscription(sql, { organizationId, id })
  if (!subscription) {
    throw new DomainError('not_found', 'subscription_not_found', `There is no subscription ${id}.`)
  }
  return subscription
}

/** One more than `limit`, where there is. Throws DomainError `customer_not_found`. */
export async function pageOfSubscriptions(
  sql: Sql,
  caller: Caller,
  page: {
    customerId: string | undefined
    limit: number
    after: readonly [string, string] | undefined
  },
): Promise<Subscription[]> {
  const { organizationId } = caller
  const { customerId, after, limit } = page
  if (customerId !== undefined) await requireSubscriber(sql, { organizationId, customerId })
  return listSubscriptions(sql, { organizationId, customerId, after, limit: limit + 1 })
}

/**
 * Puts a customer on a plan version for the span [start_date, end_date). Months it touches are billed anew unless they are
 * finalized; a month in which it begins or ends is split there.
 *
 * Throws DomainError `customer_not_found`, `plan_not_found`, `plan_not_active`, `invalid_subscription`,
 * `subscription_overlaps`.
 */
export async function createSubscription(
  pool: Pool,
  caller: Caller,
  sent: NewSubscription,
): Promise<Subscription> {
  const { organizationId } = caller
  return refusingOverlap(() =>
    inTransaction(pool, async (sql) => {
      const customerId = sent.customer_id
      const { customerNo, zone } = await requireSubscriber(sql, { organizationId, customerId })
      const span = spanOf({ start: sent.start_date, end: sent.end_date ?? null }, zone)
      const offer = await findOffer(sql, {
        organizationId,
        plan: sent.plan,
        planVersionId: sent.plan_version_id,
      })
      const wanted = sent.plan ?? sent.plan_version_id ?? ''
      if (!offer) throw await missingOffer(sql, organizationId, wanted)
      if (offer.state !== 'active') throw planNotActive(wanted)
      const overrides = sent.overrides ?? []
      await checkOverrides(sql, organizationId, { offer, overrides })

      const id = await insertSubscription(sql, {
        customerNo,
        planVersionId: offer.id,
        ...span,
        overrides,
      })
      await queueSpanMonths(sql, { customerNo, from: span.startAt, to: span.endAt })
      const made = await getSubscription(sql, caller, id)
      await audit(sql, caller, { action: 'subscription.created', before: null, after: made })
      return made
    }),
  )
}

/**
 * Ends a subscription, or moves or takes away its end. Throws DomainError `subscription_not_found`,
 * `invalid_subscription`, `subscription_overlaps`.
 */
export async function changeSubscription(
  pool: Pool,
  caller: Caller,
  { id, changes }: { id: string; changes: SubscriptionChanges },
): Promise<Subscription> {
  const { organizationId } = caller
  return refusingOverlap(() =>
    inTransaction(pool, async (sql) => {
      await lockSubscription(sql, await getSubscription(sql, caller, id))
      const before = await getSubscription(sql, caller, id)
      const { zone } = await requireSubscriber(sql, {
        organizationId,
        customerId: before.customerId,
      })
      const { endAt } = spanOf({ start: before.startAt, end: changes.end_date }, zone)
      await updateEnd(sql, before, endAt)
      const after = await getSubscription(sql, caller, id)
      if (after.endAt === before.endAt) return after
      const [from = before.startAt] = [before.endAt, after.endAt]
        .filter((end) => end !== null)
        .sort()
      await queueSpanMonths(sql, { customerNo: before.customerNo, from, to: null })
      await audit(sql, caller, { action: 'subscription.changed', before, after })
      return after
    }),
  )
}

async function requireSubscriber(
  sql: Sql,
  key: { organizationId: string; customerId: string },
): Promise<{ customerNo: number; zone: string }> {
  const subscriber = await findSubscriber(sql, key)
  if (subscriber) return subscriber
  const message = `There is no customer ${key.customerId}.`
  throw new DomainError('not_found', 'customer_not_found', message)
}

function spanOf(
  { start, end }: { start: string; end: string | null },
  zone: string,
): { startAt: string; endAt: string | null } {
  const errors: FieldError[] = []
  const clock = localClock(zone)
  const read = (text: string, field: string): number => {
    const date = parseEventDate(text, { clock, nowMicros: 0, allowFuture: true })
    if (!isFault(date)) return date.micros
    errors.push({ field, message: REJECT_REASONS[date.reason] })
    return 0
  }
  const from = read(start, 'start_date')
  const to = end === null ? null : read(end, 'end_date')
  if (errors.length === 0 && to !== null && to <= from) {
    errors.push({ field: 'end_date', message: 'The end must be after the start' })
  }
  if (errors.length > 0) throw invalidFields('invalid_subscription', errors)
  return { startAt: instantText(from), endAt: to === null ? null : instantText(to) }
}

async function missingOffer(
  sql: Sql,
  organizationId: string,
  wanted: string,
): Promise<DomainError> {
  const { rows } = await sql.query(
    'select from plans where organization_id = $1 and (code = $2 or id::text = $2)',
    [organizationId, wanted],
  )
  return rows.length > 0 ? planNotActive(wanted) : planNotFound(wanted)
}

/** A price stands in for that of a charge, so the version with it must be as sound as without. */
async function checkOverrides(
  sql: Sql,
  organizationId: string,
  { offer, overrides }: { offer: OfferedVersion; overrides: readonly OverrideJson[] },
): Promise<void> {
  if (overrides.length === 0) return
  const errors = overrides.flatMap(({ charge_id: id }, at): FieldError[] => {
    const field = `overrides[${at}].charge_id`
    if (!offer.charges.some((charge) => charge.id === id)) {
      return [{ field, message: `The version has no charge ${id}` }]
    }
    const twice = overrides.slice(0, at).some((earlier) => earlier.charge_id === id)
    return twice ? [{ field, message: 'An earlier override is for the same charge' }] : []
  })
  if (errors.length > 0) throw invalidFields('invalid_subscription', errors)
  const meters = await holdMeters(sql, organizationId)
  const charges = offer.charges.map((charge) => {
    const override = overrides.find((one) => one.charge_id === charge.id)
    return override === undefined ? charge : { ...charge, price: override.price }
  })
  try {
    parsePlanVersion(
      { charges, carry_tiers: offer.carry_tiers },
      { currency: offer.currency, meters: meters.map((row) => toMeter(MeterSchema.parse(row))) },
    )
  } catch (error) {
    if (!(error instanceof DomainError)) throw error
    throw invalidFields(
      'invalid_subscription',
      error.errors.map((fault) => ({
        ...fault,
        field: fault.field.replace(/^charges\[(\d+)\]/, (_text, at: string) => {
          const id = offer.charges[Number(at)]?.id
          return `overrides[${overrides.findIndex((one) => one.charge_id === id)}]`
        }),
      })),
    )
  }
}

async function refusingOverlap<T>(job: () => Promise<T>): Promise<T> {
  try {
    return await job()
  } catch (error) {
    if (!overlaps(error)) throw error
    throw new DomainError(
      'conflict',
      'subscription_overlaps',
      'The customer has a subscription in this span already. End it first.',
      [{ field: 'start_date', message: 'the span overlaps another subscription' }],
    )
  }
}

async function audit(
  sql: Sql,
  caller: Caller,
  change: { action: string; before: Subscription | null; after: Subscription },
): Promise<void> {
  const fieldsOf = ({
    customerId,
    plan,
    planVersion,
    startAt,
    endAt,
    overrides,
  }: Subscription) => ({
    customer_id: customerId,
    plan,
    plan_version: planVersion,
    start_date: startAt,
    end_date: endAt,
    overrides,
  })
  await writeAudit(sql, {
    organizationId: caller.organizationId,
    actor: `key:${caller.keyId}`,
    action: change.action,
    objectType: 'subscription',
    objectId: change.after.id,
    before: change.before && fieldsOf(change.before),
    after: fieldsOf(change.after),
  })
}
