import { compareEvents, type MonthBill, type NewEvent, type StoredEvent } from '@billtrail/db'
import { DomainError, eventKey, type FieldError, localClock } from '@billtrail/domain'
import type { Caller } from '@billtrail/platform'
import type { z } from 'zod'
import { customerNotFound } from '../customers/customer-not-found'
import type { UsageDeps } from '../usage-deps'
import { preparedSql } from './prepared-sql'
import { needsZone, type ReadUsage, readUsage } from './read-usage'
import { type MonthTotal, monthTotal } from './show-month'
import { findEvent, findOrganizationZone } from './usage.repo'
import type { UsageAnswer, UsageInput } from './usage.schema'

/** One event of one request: it stands on the first line. */
const LINE = 1
const ROUNDS_MAX = 10

/**
 * Records one usage event of a customer and says what its month comes to. The same event again (by its id or by
 * the idempotency key) counts nothing and answers as the first did, with `duplicate`; what was left out is
 * not compared, as the server had chosen it.
 *
 * Throws `customer_not_found`, `invalid_event`, `event_conflict` (the key is known with other content),
 * `held_by_upload`.
 */
export async function recordUsage(
  deps: UsageDeps,
  caller: Caller,
  request: { customer: string; input: UsageInput; idempotencyKey: string | undefined },
): Promise<z.output<typeof UsageAnswer>> {
  const { customer, input, idempotencyKey } = request
  const { organizationId } = caller
  const { numbers } = deps
  const customerNo =
    numbers.registeredCustomer(organizationId, customer) ??
    (await numbers.customer(organizationId, customer))
  const zone = needsZone(input.event_date)
    ? await findOrganizationZone(preparedSql(deps.pointPool), organizationId)
    : 'UTC'
  const usage = readUsage(input, {
    idempotencyKey,
    clock: localClock(zone),
    nowMicros: Date.now() * 1000,
  })
  const knownType = numbers.knownEventType(organizationId, usage.eventType)
  const eventTypeNo = knownType ?? (await numbers.eventType(organizationId, usage.eventType))
  const event = eventOf(usage, { customerNo, eventTypeNo })
  const { stored: made, bill: billed } = await deps.groups.record(event)
  const { stored, duplicate, bill } = made
    ? { stored: made, duplicate: false, bill: billed }
    : await meetStored(deps, usage, event)
  if (knownType === undefined && !duplicate) {
    numbers.rememberEventType(organizationId, usage.eventType, eventTypeNo)
  }
  const { period } = stored
  const rated = bill ?? (await deps.groups.rate(organizationId, { customerNo, period }))
  if (!rated) throw customerNotFound(customer)
  const { generated } = usage
  return answerOf({
    customer,
    stored,
    generated,
    duplicate,
    total: monthTotal(customer, period, rated),
  })
}

function answerOf({
  customer,
  stored,
  generated,
  duplicate,
  total,
}: {
  customer: string
  stored: StoredEvent
  generated: ReadUsage['generated']
  duplicate: boolean
  total: MonthTotal
}): z.output<typeof UsageAnswer> {
  const answer = {
    event: {
      customer_id: customer,
      event_id: stored.event_id,
      event_type: stored.event_type,
      event_date: stored.event_date,
      quantity: stored.quantity,
      unit_price: stored.unit_price,
      properties: stored.properties,
      generated,
    },
    month: {
      id: `${customer}:${stored.period}`,
      customer,
      month: total.month,
      year: total.year,
      accumulated_price: total.accumulated_price,
      price_in_dollars: total.price_in_dollars,
    },
  }
  return duplicate ? { ...answer, duplicate } : answer
}

const eventOf = (
  usage: ReadUsage,
  { customerNo, eventTypeNo }: { customerNo: number; eventTypeNo: number },
): NewEvent => {
  const key = eventKey(usage.eventId)
  return {
    customerNo,
    eventTypeNo,
    eventKey: key,
    eventId: key === usage.eventId ? null : usage.eventId,
    eventDate: usage.eventDate,
    quantity: usage.quantity,
    unitPrice: usage.unitPrice,
    properties: usage.properties,
  }
}

/** The event that its key was known for: a duplicate of it, or a conflict; or itself, once that one is withdrawn. */
async function meetStored(
  deps: UsageDeps,
  usage: ReadUsage,
  event: NewEvent,
): Promise<{ stored: StoredEvent; duplicate: boolean; bill?: MonthBill | undefined }> {
  const dateIsOurs = usage.generated.includes('event_date')
  // Another round only when the event is withdrawn between two statements.
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const stored = await findEvent(preparedSql(deps.pointPool), event)
    if (stored) {
      const sent = dateIsOurs ? { ...event, eventDate: stored.event_date } : event
      const outcome = (await compareEvents(deps.pool, [sent], [LINE])).get(LINE)
      if (outcome === 'duplicate') return { stored, duplicate: true }
      if (outcome === 'conflict')
        throw eventConflict(stored, { ...usage, eventDate: sent.eventDate })
    }
    const { stored: made, bill } = await deps.groups.record(event)
    if (made) return { stored: made, duplicate: false, bill }
  }
  throw new Error('An event can be neither stored nor found.')
}

/** Both values of each field that differs. */
function eventConflict(stored: StoredEvent, sent: ReadUsage): DomainError {
  const pairs: [field: string, stored: unknown, sent: unknown][] = [
    ['event_type', stored.event_type, sent.eventType],
    ['event_date', microsecondText(stored.event_date), microsecondText(sent.eventDate)],
    ['quantity', stored.quantity, sent.quantity],
    ['unit_price', stored.unit_price, sent.unitPrice],
    ['properties', sorted(stored.properties), sorted(sent.properties ?? {})],
  ]
  const errors: FieldError[] = pairs
    .map(([field, was, is]) => [field, JSON.stringify(was), JSON.stringify(is)] as const)
    .filter(([, was, is]) => was !== is)
    .map(([field, was, is]) => ({ field, message: `stored ${was}, sent ${is}` }))
  return new DomainError(
    'conflict',
    'event_conflict',
    `The event ${stored.event_id} is stored with other content. It stays as it is; nothing was counted.`,
    errors,
  )
}

/** One spelling for one instant, whatever the zeros at its end. */
const microsecondText = (instant: string): string =>
  instant.replace(/\.(\d*?)0*Z$/, (_text, digits: string) => (digits === '' ? 'Z' : `.${digits}Z`))

const sorted = (properties: Readonly<Record<string, string>>): [string, string][] =>
  Object.entries(properties).sort(([a], [b]) => (a < b ? -1 : 1))
