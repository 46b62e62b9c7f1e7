import { randomInt, randomUUID } from 'node:crypto'
import type { BenchOptions } from '../bench-options'
import { startBenchServer } from '../bench-server'
import { type Figure, perSecond } from '../figure'
import { median } from '../median'
import { singleRowInserts } from '../single-row-inserts'
import type { ServiceProcess } from '../service-process'

const CONNECTIONS = 8
const SECONDS = 8
/** Until the service runs compiled code. */
const WARM_UP_SECONDS = 5
const CUSTOMERS = 100

/** Calls a second, once it is warm. */
async function postForAWhile(usage: ServiceProcess): Promise<number> {
  let calls = 0
  const countFrom = performance.now() + WARM_UP_SECONDS * 1000
  const endsAt = countFrom + SECONDS * 1000
  const connection = async () => {
    while (performance.now() < endsAt) {
      const body = JSON.stringify({ event_type: 'api_call', event_id: randomUUID() })
      await usage.call('POST', `/v1/customers/customer-${randomInt(CUSTOMERS)}/usage`, body)
      if (performance.now() > countFrom) calls++
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, connection))
  return calls / SECONDS
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
      posted.push(await postForAWhile(usage))
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
