import path from 'node:path'
import type { BenchOptions } from '../bench-options'
import { type BenchServer, startBenchServer } from '../bench-server'
import type { Figure } from '../figure'
import { writeUsageFile } from '../usage-file'

const MIB_MAX = 256
const AT_ONCE = 8

/** The most memory of a fresh ingest-api while so many files of so many rows are uploaded at once. MiB. */
async function peakOf(
  server: BenchServer,
  { rows, files }: { rows: number; files: number },
): Promise<number> {
  const names = Array.from({ length: files }, (_, at) => path.join(server.folder, `${at}.csv`))
  for (const [at, file] of names.entries()) {
    await writeUsageFile(file, { rows, shape: 'few_customers', seed: at + 1 })
  }
  const ingest = await server.freshIngest(await server.freshDatabase())
  try {
    const uploads = await Promise.all(names.map((file) => ingest.upload(file)))
    const accepted = uploads.reduce((sum, { answer }) => sum + answer.accepted, 0)
    if (accepted !== rows * files) throw new Error(`accepted ${accepted} of ${rows * files} rows`)
    return await ingest.peakMemory()
  } finally {
    await ingest.stop()
  }
}

/** Memory of ingest-api by the size of the file, and with eight uploads at once. */
export async function peakMemory({ rows, isFull }: BenchOptions): Promise<Figure[]> {
  const server = await startBenchServer()
  try {
    const cases = [
      { rows: rows / 10, files: 1 },
      { rows, files: 1 },
      { rows: rows * (isFull ? 10 : 3), files: 1 },
      { rows: isFull ? rows : rows / 4, files: AT_ONCE },
    ]
    const figures: Figure[] = []
    let smallest = 0
    for (const { rows: count, files } of cases) {
      const peak = await peakOf(server, { rows: Math.round(count), files })
      smallest ||= peak
      figures.push({
        work: `peak memory, ${files} x ${Math.round(count)} rows, MiB`,
        measured: `${peak.toFixed(0)} MiB`,
        against: `${(peak / smallest).toFixed(2)} x the smallest file's`,
        value: peak,
        bar: { atMost: MIB_MAX },
      })
    }
    return figures
  } finally {
    await server.stop()
  }
}
