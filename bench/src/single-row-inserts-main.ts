import { randomUUID } from 'node:crypto'
import { Client } from 'pg'

// Stands in for pgbench where that is not installed: prints how many single-row transactions a second.
const [url, clients, seconds] = process.argv.slice(2)

async function insertUntil(endsAt: number): Promise<number> {
  const client = new Client({ connectionString: url! })
  await client.connect()
  let inserted = 0
  for (; performance.now() < endsAt; inserted++) {
    await client.query({
      name: 'insert',
      text: 'insert into single_rows values ($1, $2, $3, now())',
      values: [`customer-${inserted % 100}`, 'api_call', randomUUID()],
    })
  }
  await client.end()
  return inserted
}

async function main(): Promise<void> {
  const endsAt = performance.now() + Number(seconds) * 1000
  const counts = await Promise.all(
    Array.from({ length: Number(clients) }, () => insertUntil(endsAt)),
  )
  const total = counts.reduce((sum, count) => sum + count, 0)
  process.stdout.write(`tps = ${total / Number(seconds)}\n`)
}

void main()
