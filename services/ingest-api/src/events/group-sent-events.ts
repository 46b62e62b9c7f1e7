import { createGrouping, isDatabaseUnavailable, type Pool } from '@billtrail/platform'
import type { Segments } from '../segments/create-segments'
import { type SentOutcomes, type SentRows, sentEventStore } from '../storing/sent-events.repo'

/** A group has about as many rows as this: more would save little and keep the first of them waiting. */
const GROUP_ROWS_MAX = 20_000
/** The one copies while the other counts or waits for the disk; they meet only on usage, which each counts last, in the same order. */
const GROUPS_AT_ONCE = 2
/** Beyond what most rows have, bytes count too. */
const TAIL_BYTES_PER_ROW = 1_024

/**
 * Stores the events of requests that arrive together in one transaction, as if they had come one after the other.
 * Where that fails for any of them, each goes alone and waits for its own keys, up to 20 s: then `held_by_upload`.
 */
export function groupSentEvents(
  pool: Pool,
  segments: Segments,
): (request: SentRows) => Promise<SentOutcomes> {
  const store = sentEventStore(pool, segments)
  return createGrouping<SentRows, SentOutcomes>({
    max: GROUP_ROWS_MAX,
    atOnce: GROUPS_AT_ONCE,
    weigh: ({ batch }) => batch.size + batch.tailsSize / TAIL_BYTES_PER_ROW,
    run: async (requests) => {
      try {
        const outcomes = await store.storeTogether(requests)
        return new Map(requests.map((request, at) => [request, outcomes[at]!]))
      } catch (error) {
        // Whether it was stored is not known when the connection broke: each sender asks again.
        if (isDatabaseUnavailable(error)) throw error
        return new Map()
      }
    },
    runAlone: (request) => store.storeAlone(request),
  })
}
