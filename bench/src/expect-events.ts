import { Client } from 'pg'
import type { BenchDatabase } from './bench-server'

/** Fails where the database does not hold just so many events: a figure of calls that stored nothing is none. */
export async function expectEvents({ url }: BenchDatabase, count: number): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<{ count: string }>('select count(*) from events')
    if (Number(rows[0]!.count) !== count) {
      throw new Error(`The database holds ${rows[0]!.count} events, sent were ${count}.`)
    }
  } finally {
    await client.end()
  }
}
