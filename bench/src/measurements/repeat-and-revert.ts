import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import type { BenchOptions } from '../bench-options'
import { type BenchServer, startBenchServer } from '../bench-server'
import { type Figure, seconds } from '../figure'
import { writeHalfOf } from '../half-of-file'
import type { IngestProcess } from '../ingest-process'
import { median } from '../median'
import { writeUsageFile } from '../usage-file'

type Work = 'first' | 'again' | 'half' | 'revert' | 'revertCounted'
type Seconds = Record<Work, number>

async function withIngest<T>(
  server: BenchServer,
  work: (ingest: IngestProcess, url: string) => Promise<T>,
): Promise<T> {
  const database = await server.freshDatabase()
  const ingest = await server.freshIngest(database)
  try {
    return await work(ingest, database.url)
  } finally {
    await ingest.stop()
  }
}

async function whenCounted(url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    for (;;) {
      const { rowCount } = await client.query('select from uploads where not usage_counted')
      if (rowCount === 0) return
      await delay(100)
    }
  } finally {
    await client.end()
  }
}

function expectAccepted(accepted: number, expected: number): void {
  if (accepted !== expected) throw new Error(`accepted ${accepted} rows instead of ${expected}`)
}

async function measureRound(server: BenchServer, rows: number, seed: number): Promise<Seconds> {
  const file = path.join(server.folder, 'usage.csv')
  const half = path.join(server.folder, 'half.csv')
  await writeUsageFile(file, { rows, shape: 'few_customers', seed })
  const storedRows = await writeHalfOf(file, half)
  const revert = async (ingest: IngestProcess, id: string) =>
    (await ingest.call('POST', `/v1/uploads/${id}/revert`)).seconds

  const [first, again] = await withIngest(server, async (ingest) => {
    const once = await ingest.upload(file)
    const twice = await ingest.upload(file)
    expectAccepted(once.answer.accepted, rows)
    expectAccepted(twice.answer.accepted, 0)
    return [once.seconds, twice.seconds]
  })
  const overHalf = await withIngest(server, async (ingest) => {
    await ingest.upload(half)
    const { seconds: took, answer } = await ingest.upload(file)
    expectAccepted(answer.accepted, rows - storedRows)
    return took
  })
  const reverted = await withIngest(server, async (ingest) =>
    revert(ingest, (await ingest.upload(file)).answer.id),
  )
  const revertedCounted = await withIngest(server, async (ingest, url) => {
    const { answer } = await ingest.upload(file)
    await whenCounted(url)
    return revert(ingest, answer.id)
  })
  return { first, again, half: overHalf, revert: reverted, revertCounted: revertedCounted }
}

/** The same file again, a file half of which is stored, and taking an upload back: against its first upload. */
export async function repeatAndRevert({ rows, rounds }: BenchOptions): Promise<Figure[]> {
  const server = await startBenchServer()
  try {
    const measured: Seconds[] = []
    for (let round = 0; round < rounds; round++) {
      measured.push(await measureRound(server, rows, round + 1))
    }
    const of = (work: Work) => median(measured.map((round) => round[work]))
    const figure = (work: Work, text: string, atMost: number): Figure => ({
      work: text,
      measured: seconds(of(work)),
      against: `first upload ${seconds(of('first'))}`,
      value: of(work) / of('first'),
      bar: { atMost },
    })
    return [
      figure('again', 'the same file again', 1),
      figure('half', 'a file of which half is stored', 1.5),
      figure('revert', 'revert right after the upload', 0.5),
      figure('revertCounted', 'revert after its usage was counted', 0.5),
    ]
  } finally {
    await server.stop()
  }
}
