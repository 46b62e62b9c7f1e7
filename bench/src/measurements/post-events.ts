import { randomInt, randomUUID } from 'node:crypto'
import path from 'node:path'
import type { BenchOptions } from '../bench-options'
import { startBenchServer } from '../bench-server'
import { type Figure, perSecond } from '../figure'
import { median } from '../median'
import { writeUsageFile } from '../usage-file'

const BATCH = 1_000
const CONNECTIONS = 4
const CUSTOMERS = 100

function batchOfEvents(): string {
  const date = new Date(Date.UTC(2026, 9, 1 + randomInt(30))).toISOString()
  const events = Array.from({ length: BATCH }, () => ({
    customer_id: `customer-${String(randomInt(CUSTOMERS)).padStart(7, '0')}`,
    event_type: 'api_call',
    event_id: randomUUID(),
    event_date: date,
  }))
  return JSON.stringify(events)
}

/** Events posted in batches of 1,000 on four connections, against the upload of a file: rows a second. */
export async function postEvents({ rows, rounds }: BenchOptions): Promise<Figure[]> {
  const batches = Math.max(CONNECTIONS, Math.round(rows / 5 / BATCH))
  const server = await startBenchServer()
  try {
    const posted: number[] = []
    const uploaded: number[] = []
    for (let round = 0; round < rounds; round++) {
      const file = path.join(server.folder, 'usage.csv')
      await writeUsageFile(file, { rows, shape: 'few_customers', seed: round + 1 })
      const fresh = await server.freshIngest(await server.freshDatabase())
      uploaded.push(rows / (await fresh.upload(file)).seconds)
      await fresh.stop()

      const bodies = Array.from({ length: batches }, batchOfEvents)
      const ingest = await server.freshIngest(await server.freshDatabase())
      const startedAt = performance.now()
      const connection = async () => {
        for (let body = bodies.pop(); body !== undefined; body = bodies.pop()) {
          await ingest.call('POST', '/v1/events', body)
        }
      }
      await Promise.all(Array.from({ length: CONNECTIONS }, connection))
      posted.push((batches * BATCH * 1000) / (performance.now() - startedAt))
      await ingest.stop()
    }
    const [post, upload] = [median(posted), median(uploaded)]
    return [
      {
        work: 'POST /v1/events, 4 connections x 1,000',
        measured: perSecond(post, 'rows'),
        against: `upload ${perSecond(upload, 'rows')}`,
        value: post / upload,
        bar: { atLeast: 0.5 },
      },
    ]
  } finally {
    await server.stop()
  }
}
