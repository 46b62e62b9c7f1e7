import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { SHAPES, type Shape } from './usage-file'

/**
 * What `psql \copy` of the file into a plain table takes: the same bytes over the same protocol, committed. Seconds.
 */
export async function baselineCopy(url: string, file: string, shape: Shape): Promise<number> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const wide = SHAPES[shape].isWide
      ? ', quantity numeric, unit_price numeric, region text, path text, device text'
      : ''
    await client.query('drop table if exists baseline')
    await client.query(
      `create table baseline (customer_id text, event_type text, event_id text primary key, event_date timestamptz${wide})`,
    )
    await client.query('checkpoint')
    const startedAt = performance.now()
    const copy = client.query(copyFrom('copy baseline from stdin (format csv, header)'))
    await pipeline(createReadStream(file, { highWaterMark: 256 * 1024 }), copy)
    const seconds = (performance.now() - startedAt) / 1000
    await client.query('drop table baseline')
    return seconds
  } finally {
    await client.end()
  }
}
