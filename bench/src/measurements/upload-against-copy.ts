import path from 'node:path'
import { baselineCopy } from '../baseline-copy'
import type { BenchOptions } from '../bench-options'
import { startBenchServer } from '../bench-server'
import { type Figure, seconds } from '../figure'
import { median } from '../median'
import { type Shape, SHAPES, writeUsageFile } from '../usage-file'

/** The first round is not counted: a server zeroes the memory and the log that it uses for the first time, once in its life. */
async function measureShape(shape: Shape, { rows, rounds }: BenchOptions): Promise<Figure> {
  const server = await startBenchServer()
  try {
    const copies: number[] = []
    const uploads: number[] = []
    for (let round = 0; round <= rounds; round++) {
      const file = path.join(server.folder, 'usage.csv')
      await writeUsageFile(file, { rows, shape, seed: round + 1 })
      const database = await server.freshDatabase()
      const copied = await baselineCopy(database.url, file, shape)
      const ingest = await server.freshIngest(database)
      const { seconds: took, answer } = await ingest.upload(file)
      if (answer.accepted !== rows) throw new Error(`accepted ${answer.accepted} of ${rows} rows`)
      await ingest.stop()
      if (round === 0) continue
      copies.push(copied)
      uploads.push(took)
    }
    const [copy, upload] = [median(copies), median(uploads)]
    return {
      work: `upload ${rows} rows, ${shape}`,
      measured: seconds(upload),
      against: `copy ${seconds(copy)}`,
      value: upload / copy,
      bar: { atMost: 0.8 },
    }
  } finally {
    await server.stop()
  }
}

/** Each shape of file against plain COPY of the same file, in turn, on the same server. */
export async function uploadAgainstCopy(options: BenchOptions): Promise<Figure[]> {
  const figures: Figure[] = []
  for (const shape of Object.keys(SHAPES) as Shape[]) {
    figures.push(await measureShape(shape, options))
  }
  return figures
}
