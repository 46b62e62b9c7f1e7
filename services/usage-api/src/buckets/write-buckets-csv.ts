import { pipeline } from 'node:stream/promises'
import { Readable, type Writable } from 'node:stream'
import { neutraliseFormula } from '@billtrail/domain'
import { sqlState } from '@billtrail/platform'
import { format } from 'fast-csv'
import type { UsageBuckets } from './count-usage'

/** One row per bucket: start, the groups, quantity, events. Text that a spreadsheet would run is neutralised. */
export async function writeBucketsCsv(buckets: UsageBuckets, out: Writable): Promise<void> {
  const header = [
    'start',
    ...buckets.groups.map((group) => neutraliseFormula(group.field)),
    'quantity',
    'events',
  ]
  const rows = function* () {
    yield header
    for (const { start, groups, quantity, events } of buckets.rows) {
      yield [
        start,
        ...groups.map((value) => neutraliseFormula(value ?? '')),
        quantity,
        String(events),
      ]
    }
  }
  try {
    await pipeline(Readable.from(rows()), format({ includeEndRowDelimiter: true }), out)
  } catch (error) {
    // Whoever asked has gone: nobody is left to be told.
    if (sqlState(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
  }
}
