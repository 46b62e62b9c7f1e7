import type { Pool } from '@billtrail/platform'
import type { LearnedShapes } from '../reading'
import type { BufferPool } from '../reading/buffer-pool'
import type { Segments } from '../segments/create-segments'
import type { SentOutcomes } from '../storing/sent-events.repo'
import { organizationZone } from '../uploads/uploads.repo'
import { createBatchPool } from './batch-pool'
import { groupSentEvents } from './group-sent-events'
import { knownNumbers } from './known-numbers'
import type { EventsBody } from './read-events-body'
import { readSentEvents, type SentEvents } from './read-sent-events'
import { writeEventResults } from './write-event-results'

const ORGANIZATIONS_LEARNED_MAX = 256

/** Stores events sent over the API and says of each what became of it. Sending again changes nothing. */
export type PostEvents = (organizationId: string, body: EventsBody) => Promise<Buffer>

/**
 * The one of a process: it remembers numbers, and stores requests that arrive together in one go. The answer is
 * `PostEventsAnswer` as JSON, in one of the `buffers`; the body's is put back there.
 */
export function createPostEvents(
  { pool, segments }: { pool: Pool; segments: Segments },
  buffers: BufferPool,
): PostEvents {
  const numbers = knownNumbers(pool)
  const store = groupSentEvents(pool, segments)
  const batches = createBatchPool()
  const shapesOf = new Map<string, LearnedShapes>()

  function shapesLearned(organizationId: string): LearnedShapes {
    const known = shapesOf.get(organizationId)
    if (known !== undefined) return known
    if (shapesOf.size === ORGANIZATIONS_LEARNED_MAX) shapesOf.clear()
    const shapes: LearnedShapes = []
    shapesOf.set(organizationId, shapes)
    return shapes
  }

  async function read(organizationId: string, body: EventsBody): Promise<SentEvents> {
    const options = { zone: 'UTC', batches, shapes: shapesLearned(organizationId) }
    const sent = readSentEvents(body, options)
    if (!sent.appender.hasLocalDate) return sent
    const zone = await organizationZone(pool, organizationId)
    return zone === 'UTC' ? sent : readSentEvents(body, { ...options, zone })
  }

  async function storeRead(organizationId: string, sent: SentEvents): Promise<SentOutcomes> {
    const { batch, appender } = sent
    if (batch.size === 0) return new Map()
    const remember = await numbers.number(organizationId, appender)
    const outcomes = await store({
      organizationId,
      batch,
      customerNumbers: appender.customers.numbers,
      eventTypeNumbers: appender.eventTypes.numbers,
    })
    if (outcomes.size < batch.size) remember()
    return outcomes
  }

  return async (organizationId, body) => {
    try {
      const sent = await read(organizationId, body)
      try {
        return writeEventResults(sent, await storeRead(organizationId, sent), buffers.take)
      } finally {
        batches.putBack(sent.batch)
      }
    } finally {
      buffers.putBack(body.bytes)
    }
  }
}
