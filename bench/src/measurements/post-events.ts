import { randomInt, randomUUID } from 'node:crypto'
import path from 'node:path'
import type { BenchOptions } from '../bench-options'
import { startBenchServer } from '../bench-server'
import { type Figure, perSecond } from '../figure'
import { expectEvents } from '../expect-events'
import type { IngestProcess } from '../ingest-process'
import { onConnections, preparedPost } from '../load-connection'
import { median } from '../median'
import { writeUsageFile } from '../usage-file'

const BATCH = 1_000
const CONNECTIONS = 4
const CUSTOMERS = 100
/** Until the service runs compiled code. */
const WARM_UP_BATCHES = 100

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

/** Posts so many batches on all connections; answers the seconds it took. */
async function postBatches(ingest: IngestProcess, batches: number): Promise<number> {
  const requests = Array.from({ length: batches }, () =>
    Buffer.from(preparedPost(ingest, '/v1/events', batchOfEvents())),
  )
  const startedAt = performance.now()
  await onConnections(ingest, CONNECTIONS, async (connection) => {
    for (let one = requests.pop(); one !== undefined; one = requests.pop()) {
      await connection.send(one)
    }
  })
  return (performance.now() - startedAt) / 1000
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

      const database = await server.freshDatabase()
      const ingest = await server.freshIngest(database)
      await postBatches(ingest, WARM_UP_BATCHES)
      posted.push((batches * BATCH) / (await postBatches(ingest, batches)))
      await expectEvents(database, (WARM_UP_BATCHES + batches) * BATCH)
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
