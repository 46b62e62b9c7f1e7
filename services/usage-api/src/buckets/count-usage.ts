import { type Bucket, DomainError, instantText, roughBucketCount } from '@billtrail/domain'
import type { Caller } from '@billtrail/platform'
import type { UsageDeps } from '../usage-deps'
import { countBuckets, type EventFilter, findEventRange, findZone } from './buckets.repo'
import type { BucketsRequest, Group } from './buckets.schema'
import { fillWithZeros } from './fill-with-zeros'
import { bucketEnd, bucketStart, type GivenRange, readRange, startsOf } from './read-range'

/** Buckets of one answer, empty ones and groups included. */
export const BUCKETS_MAX = 100_000

export interface BucketRow {
  readonly start: string
  readonly groups: readonly (string | null)[]
  readonly quantity: string
  readonly events: number
}

export interface UsageBuckets {
  readonly rows: readonly BucketRow[]
  /** The groups' values stand in this order. */
  readonly groups: readonly Group[]
  readonly bucket: Bucket
  readonly timezone: string
  /** RFC 3339; null when no bound was given and there are no events. */
  readonly startDate: string | null
  readonly endDate: string | null
}

/**
 * Counts usage by hour, day or month of the customer's zone, or of the organization's across customers. Only events
 * in [start_date, end_date) count, so the first and the last bucket may be parts. A bound that is left out is that
 * of the bucket of the first or last event.
 *
 * Throws `customer_not_found`, `invalid_range`, `too_many_buckets`, `too_many_events`.
 */
export async function countUsage(
  deps: UsageDeps,
  caller: Caller,
  request: BucketsRequest,
): Promise<UsageBuckets> {
  const { organizationId } = caller
  const { bucket, group_by: groups = [] } = request
  const customerNo =
    request.customer_id === undefined
      ? undefined
      : await deps.numbers.customer(organizationId, request.customer_id)
  const timezone = await findZone(deps.pool, organizationId, customerNo)
  const given = readRange(request, timezone)
  const filter: EventFilter = { organizationId, customerNo, eventType: request.event_type }
  const range = await completeRange(deps, filter, given, { bucket, zone: timezone })
  const answer = {
    groups,
    bucket,
    timezone,
    startDate: textOf(range?.from ?? given.from),
    endDate: textOf(range?.to ?? given.to),
  }
  if (!range || range.from >= range.to) return { ...answer, rows: [] }

  const span = { start: new Date(range.from / 1000), end: new Date(range.to / 1000) }
  if (roughBucketCount({ ...span, bucket }) > BUCKETS_MAX) throw tooManyBuckets()
  const starts = startsOf(range, bucket, timezone)
  const counted = await countBuckets(deps.pool, {
    filter,
    from: instantText(range.from),
    to: instantText(range.to),
    starts,
    groups,
    limit: BUCKETS_MAX + 1,
  })
  if (counted.length > BUCKETS_MAX) throw tooManyBuckets()
  const startTexts = starts.map((start) => instantText(start.getTime() * 1000))
  const rows = counted.map(({ position, ...row }) => ({ ...row, start: startTexts[position]! }))
  if (request.fill === undefined) return { ...answer, rows }

  const filled = fillWithZeros(startTexts, rows, { grouped: groups.length > 0, max: BUCKETS_MAX })
  if (!filled) throw tooManyBuckets()
  return { ...answer, rows: filled }
}

/** Bounds that were left out come from the events. Undefined when there are none to take them from. */
async function completeRange(
  deps: UsageDeps,
  filter: EventFilter,
  { from, to }: GivenRange,
  { bucket, zone }: { bucket: Bucket; zone: string },
): Promise<{ from: number; to: number } | undefined> {
  if (from !== undefined && to !== undefined) return { from, to }
  const events = await findEventRange(deps.pool, filter)
  if (!events) return undefined
  const first = from ?? bucketStart(events.first, bucket, zone)
  const last = to ?? bucketEnd(events.last, bucket, zone)
  return { from: Math.min(first, last), to: last }
}

const textOf = (micros: number | undefined): string | null =>
  micros === undefined ? null : instantText(micros)

const tooManyBuckets = (): DomainError =>
  new DomainError(
    'invalid',
    'too_many_buckets',
    `This makes more than ${BUCKETS_MAX} buckets. Ask for a shorter range, a longer bucket or fewer groups.`,
    [{ field: 'bucket', message: 'choose a longer bucket or a shorter range' }],
  )
