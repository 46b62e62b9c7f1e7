import type { Pool } from '@billtrail/platform'
import type { SentOutcomes } from '../storing/sent-events.repo'
import { organizationZone } from '../uploads/uploads.repo'
import { createBatchPool } from './batch-pool'
import { groupSentEvents } from './group-sent-events'
import { knownNumbers } from './known-numbers'
import type { EventsBody } from './read-events-body'
import { readSentEvents, type SentEvents } from './read-sent-events'
import { writeEventResults } from './write-event-results'

/** Stores events sent over the API and says of each what became of it. Sending again changes nothing. */
export type PostEvents = (organizationId: string, body: EventsBody) => Promise<Buffer>

/**
 * The one of a process: it remembers numbers, and stores requests that arrive together in one go. The answer is
 * `PostEventsAnswer` as JSON.
 */
export function createPostEvents(pool: Pool): PostEvents {
  const numbers = knownNumbers(pool)
  const store = groupSentEvents(pool)
  const batches = createBatchPool()

  async function read(organizationId: string, body: EventsBody): Promise<SentEvents> {
    const sent = readSentEvents(body, { zone: 'UTC', batches })
    if (!sent.appender.hasLocalDate) return sent
    const zone = await organizationZone(pool, organizationId)
    return zone === 'UTC' ? sent : readSentEvents(body, { zone, batches })
  }

  async function storeRead(organizationId: string, sent: SentEvents): Promise<SentOutcomes> {
    const { batch, appender } = sent
    if (batch.size === 0) return new Map()
    const remember = await numbers.number(organizationId, appender)
    const outcomes = await store({
      batch,
      customerNumbers: appender.customers.numbers,
      eventTypeNumbers: appender.eventTypes.numbers,
    })
    if (outcomes.size < batch.size) remember()
    return outcomes
  }

  return async (organizationId, body) => {
    const sent = await read(organizationId, body)
    try {
      return writeEventResults(sent, await storeRead(organizationId, sent))
    } finally {
      batches.putBack(sent.batch)
    }
  }
}
