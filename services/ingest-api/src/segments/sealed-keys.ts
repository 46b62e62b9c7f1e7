import type { Pool } from 'pg'
import { type KeyFilter } from './key-filter'
import { findKeyFilter, makeKeyFilter, type SealedSegment } from './segments.repo'

/** Of a segment that is 70 % full of keys, as an index is that grew in random order, that makes 14 bits a key. */
const BITS_PER_KEY = 10
/** What is kept in memory: the filters of about 25 M events. */
export const KEPT_BYTES_MAX = 40 * 1024 * 1024

/** The filters of sealed segments, kept while they are used. */
export interface SealedKeys {
  /** The filter of a sealed segment. It is made when nobody has made it yet, which takes seconds. */
  filterOf(segment: SealedSegment): Promise<KeyFilter>
}

export function createSealedKeys(pool: Pool): SealedKeys {
  const kept = new Map<string, KeyFilter>()
  const awaited = new Map<string, Promise<KeyFilter>>()
  let keptBytes = 0
  let last: Promise<unknown> = Promise.resolve()

  /** The one that was used longest ago goes first. */
  function keep(name: string, filter: KeyFilter): void {
    const before = kept.get(name)
    if (before) keptBytes -= before.words.byteLength
    kept.delete(name)
    kept.set(name, filter)
    keptBytes += filter.words.byteLength
    for (const [oldest, { words }] of kept) {
      if (keptBytes <= KEPT_BYTES_MAX) return
      kept.delete(oldest)
      keptBytes -= words.byteLength
    }
  }

  async function load(name: string, segment: SealedSegment): Promise<KeyFilter> {
    const client = await pool.connect()
    let failure: unknown
    try {
      const filter =
        (await findKeyFilter(client, segment)) ??
        (await makeKeyFilter(client, segment, BITS_PER_KEY))
      keep(name, filter)
      return filter
    } catch (error) {
      failure = error
      throw error
    } finally {
      client.release(failure !== undefined)
    }
  }

  function filterOf(segment: SealedSegment): Promise<KeyFilter> {
    const name = `${segment.organizationId} ${segment.segmentNo}`
    const known = kept.get(name)
    if (known) {
      keep(name, known)
      return Promise.resolve(known)
    }
    const asked = awaited.get(name)
    if (asked) return asked
    // One at a time, on one connection.
    const filter = last.then(() => load(name, segment)).finally(() => awaited.delete(name))
    last = filter.catch(() => undefined)
    awaited.set(name, filter)
    return filter
  }

  return { filterOf }
}
