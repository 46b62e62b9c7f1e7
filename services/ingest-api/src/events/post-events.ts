import { internCustomers, internEventTypes, NO_UPLOAD } from '@billtrail/db'
import { isFault, REJECT_REASONS, type RejectReason } from '@billtrail/domain'
import type { Pool } from 'pg'
import type { z } from 'zod'
import {
  createBatch,
  createEventAppender,
  encodeCopy,
  type EventBatch,
  eventFromJson,
  fileOrder,
  type NameTable,
} from '../reading'
import { type SentOutcome, storeSentEvents } from '../storing/sent-events.repo'
import type { PostEventsAnswer } from './event.schema'
import type { SentEvent } from './read-events-body'
import { organizationZone } from '../uploads/uploads.repo'

type Answer = z.output<typeof PostEventsAnswer>
type Result = Answer['results'][number]

interface ReadEvents {
  readonly batch: EventBatch
  readonly customers: NameTable
  readonly eventTypes: NameTable
  /** One for each event; those that were not refused are `accepted` until the database says otherwise. */
  readonly results: Result[]
}

const TAIL_BYTES_PER_EVENT = 64 * 1024

function refused(index: number, reason: RejectReason, column: string | null): Result {
  const message = REJECT_REASONS[reason]
  return { index, status: 'rejected', customer_id: null, event_id: null, column, reason, message }
}

/** Puts every event that keeps the rules into one batch; its line is its position, from 1. */
function readEvents(sent: readonly SentEvent[], zone: string): ReadEvents {
  const appender = createEventAppender({ zone, now: Date.now() })
  const batch = createBatch(sent.length, sent.length * TAIL_BYTES_PER_EVENT)
  const results = sent.map((event, index): Result => {
    if (event === undefined) return refused(index, 'invalid_json', null)
    const fields = eventFromJson(event.value)
    if (isFault(fields)) return refused(index, fields.reason, fields.field)
    const fault = appender.append(fields, index + 1, batch)
    if (fault) return refused(index, fault.reason, fault.column)
    return {
      index,
      status: 'accepted',
      customer_id: fields.known.customer_id?.trim() ?? null,
      event_id: fields.known.event_id?.trim() ?? null,
    }
  })
  return { batch, customers: appender.customers, eventTypes: appender.eventTypes, results }
}

async function numbersOf(
  table: NameTable,
  intern: (names: { id: string; name: string | null }[]) => Promise<number[]>,
): Promise<Int32Array> {
  const names = table.unnumbered()
  const numbers = await intern(names)
  names.forEach(({ index }, at) => table.setNumber(index, numbers[at]!))
  return table.numbers
}

/** Stores events sent over the API and says of each what became of it. Sending again changes nothing. */
export async function postEvents(
  pool: Pool,
  organizationId: string,
  sent: readonly SentEvent[],
): Promise<Answer> {
  const { batch, results, customers, eventTypes } = readEvents(
    sent,
    await organizationZone(pool, organizationId),
  )
  if (batch.size > 0) {
    const customerNumbers = await numbersOf(customers, (met) =>
      internCustomers(pool, organizationId, met),
    )
    const eventTypeNumbers = await numbersOf(eventTypes, (met) =>
      internEventTypes(
        pool,
        organizationId,
        met.map((type) => type.id),
      ),
    )
    const rows = () =>
      encodeCopy(batch, fileOrder(batch, customerNumbers), {
        eventTypeNumbers,
        uploadNo: NO_UPLOAD,
      })
    const again = await storeSentEvents(pool, rows, batch.size)
    for (const [line, status] of again) results[line - 1] = { ...results[line - 1]!, status }
  }
  const count = (status: SentOutcome | 'accepted' | 'rejected') =>
    results.filter((result) => result.status === status).length
  return {
    accepted: count('accepted'),
    duplicates: count('duplicate'),
    conflicts: count('conflict'),
    rejected: count('rejected'),
    results,
  }
}
