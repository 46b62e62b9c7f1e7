import { randomInt, randomUUID } from 'node:crypto'
import type { BenchOptions } from '../bench-options'
import { startBenchServer } from '../bench-server'
import { expectEvents } from '../expect-events'
import { type Figure, perSecond } from '../figure'
import { onConnections, preparedPost } from '../load-connection'
import { median } from '../median'
import { singleRowInserts } from '../single-row-inserts'
import type { ServiceProcess } from '../service-process'

const CONNECTIONS = 8
const SECONDS = 8
/** Until the service runs compiled code. */
const WARM_UP_SECONDS = 5
const CUSTOMERS = 100

/** All calls, and how many a second once it is warm. */
async function postForAWhile(
  usage: ServiceProcess,
): Promise<{ calls: number; callsPerSecond: number }> {
  let calls = 0
  let counted = 0
  const countFrom = performance.now() + WARM_UP_SECONDS * 1000
  const endsAt = countFrom + SECONDS * 1000
  await onConnections(usage, CONNECTIONS, async (connection) => {
    while (performance.now() < endsAt) {
      const body = JSON.stringify({ event_type: 'api_call', event_id: randomUUID() })
      const path = `/v1/customers/customer-${randomInt(CUSTOMERS)}/usage`
      await connection.send(preparedPost(usage, path, body))
      calls++
      if (performance.now() > countFrom) counted++
    }
  })
  return { calls, callsPerSecond: counted / SECONDS }
}

/** Single events over HTTP on eight connections, against single-row inserts by eight clients of the database. */
export async function postUsage({ rounds }: BenchOptions): Promise<Figure[]> {
  const server = await startBenchServer()
  try {
    const posted: number[] = []
    const inserted: number[] = []
    let by = ''
    for (let round = 0; round < rounds; round++) {
      const database = await server.freshDatabase()
      const usage = await server.freshUsage(database)
      for (let customer = 0; customer < CUSTOMERS; customer++) {
        await usage.call('POST', '/v1/customers', JSON.stringify({ id: `customer-${customer}` }))
      }
      const { calls, callsPerSecond } = await postForAWhile(usage)
      posted.push(callsPerSecond)
      await expectEvents(database, calls)
      await usage.stop()
      const inserts = await singleRowInserts(database.url, {
        clients: CONNECTIONS,
        seconds: SECONDS,
        folder: server.folder,
      })
      inserted.push(inserts.perSecond)
      by = inserts.by
    }
    const [post, insert] = [median(posted), median(inserted)]
    return [
      {
        work: 'POST usage, 8 connections',
        measured: perSecond(post, 'calls'),
        against: `${by} ${perSecond(insert, 'rows')}`,
        value: post / insert,
        bar: { atLeast: 0.5 },
      },
    ]
  } finally {
    await server.stop()
  }
}
