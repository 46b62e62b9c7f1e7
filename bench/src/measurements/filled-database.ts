import { randomInt } from 'node:crypto'
import path from 'node:path'
import { Client } from 'pg'
import type { BenchOptions } from '../bench-options'
import { type BenchDatabase, type BenchServer, startBenchServer } from '../bench-server'
import { type Figure, seconds } from '../figure'
import { fillDatabase } from '../fill-database'
import { median, quantile } from '../median'
import { writeUsageFile } from '../usage-file'

const CUSTOMERS = 100
const READS = 3_000
const WARM_UP = 300

/** A customer's month over HTTP, against one event by its key through the driver that the service uses: p99. */
async function readMonth(server: BenchServer, filled: BenchDatabase): Promise<Figure> {
  const usage = await server.freshUsage(filled)
  const client = new Client({ connectionString: filled.url })
  await client.connect()
  try {
    const { rows } = await client.query<{ customer_no: number; event_key: string }>(
      'select customer_no, event_key from events tablesample system (1) limit 10000',
    )
    const months: number[] = []
    const keys: number[] = []
    for (let read = 0; read < READS + WARM_UP; read++) {
      const customer = String(randomInt(CUSTOMERS)).padStart(7, '0')
      const month = await usage.call('GET', `/v1/customers/customer-${customer}/usage/2026-05`)
      const { customer_no, event_key } = rows[randomInt(rows.length)]!
      const startedAt = performance.now()
      await client.query({
        name: 'by_key',
        text: 'select * from events where customer_no = $1 and event_key = $2',
        values: [customer_no, event_key],
      })
      if (read < WARM_UP) continue
      keys.push((performance.now() - startedAt) / 1000)
      months.push(month.seconds)
    }
    const [month, key] = [quantile(months, 0.99), quantile(keys, 0.99)]
    const ms = (value: number) => `${(value * 1000).toFixed(2)} ms`
    return {
      work: 'GET one customer-month, p99',
      measured: ms(month),
      against: `select by primary key ${ms(key)}`,
      value: month / key,
      bar: { atMost: 3 },
    }
  } finally {
    await client.end()
    await usage.stop()
  }
}

/** What stored events cost: an upload beside them, and a month read among them. */
export async function filledDatabase(options: BenchOptions): Promise<Figure[]> {
  const { rows, rounds, isFull } = options
  const events = rows * (isFull ? 20 : 5)
  const server = await startBenchServer()
  try {
    const filled = await server.freshDatabase()
    await fillDatabase(server, filled, { events, rows })
    const month = await readMonth(server, filled)
    const file = path.join(server.folder, 'usage.csv')
    const upload = async (database: BenchDatabase) => {
      const ingest = await server.freshIngest(database)
      const { seconds: took, answer } = await ingest.upload(file)
      if (answer.accepted !== rows) throw new Error(`accepted ${answer.accepted} of ${rows} rows`)
      await ingest.stop()
      return took
    }
    const beside: number[] = []
    const alone: number[] = []
    for (let round = 0; round < rounds; round++) {
      await writeUsageFile(file, { rows, shape: 'few_customers', seed: round + 1 })
      alone.push(await upload(await server.freshDatabase()))
      beside.push(await upload(filled))
    }
    const [full, empty] = [median(beside), median(alone)]
    return [
      {
        work: `upload beside ${events} events`,
        measured: seconds(full),
        against: `empty database ${seconds(empty)}`,
        value: full / empty,
        bar: { atMost: 1.5 },
      },
      month,
    ]
  } finally {
    await server.stop()
  }
}
