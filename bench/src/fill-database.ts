import { rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import type { BenchDatabase, BenchServer } from './bench-server'
import { writeUsageFile } from './usage-file'

const FILL_MONTHS = 12
const LOOK_MS = 200

/**
 * Stores so many events of 100 customers over the twelve months before October 2026, as files of `rows` that are uploaded one
 * after the other, and leaves them counted, in order and written to disk.
 */
export async function fillDatabase(
  server: BenchServer,
  database: BenchDatabase,
  { events, rows }: { events: number; rows: number },
): Promise<void> {
  const ingest = await server.freshIngest(database)
  const file = path.join(server.folder, 'fill.csv')
  for (let stored = 0; stored < events; stored += rows) {
    const seed = 1_000 + stored / rows
    await writeUsageFile(file, { rows, shape: 'few_customers', seed, monthsBefore: FILL_MONTHS })
    await ingest.upload(file)
  }
  await rm(file)
  const client = new Client({ connectionString: database.url })
  await client.connect()
  try {
    await whenSettled(client)
    await ingest.stop()
    await client.query('vacuum analyze')
    await client.query('checkpoint')
  } finally {
    await client.end()
  }
}

/** Waits until the usage of every upload is counted and every sealed segment has its filter. */
async function whenSettled(client: Client): Promise<void> {
  for (;;) {
    const { rows } = await client.query<{ settled: boolean }>(
      `select not exists (select from uploads where not usage_counted)
          and not exists (select from event_segments where not is_open and key_filter is null) as settled`,
    )
    if (rows[0]!.settled) return
    await delay(LOOK_MS)
  }
}
