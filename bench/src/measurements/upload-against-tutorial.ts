import path from 'node:path'
import type { BenchOptions } from '../bench-options'
import { startBenchServer } from '../bench-server'
import { type Figure, seconds } from '../figure'
import { median } from '../median'
import { tutorialImport } from '../tutorial-import'
import { writeUsageFile } from '../usage-file'

const ROWS_BY_DEFAULT = 100_000

/** One file the usual tutorial way and as an upload; 100 k rows unless the run is full. */
export async function uploadAgainstTutorial(options: BenchOptions): Promise<Figure[]> {
  const rows = options.isFull ? options.rows : Math.min(options.rows, ROWS_BY_DEFAULT)
  const { rounds } = options
  const server = await startBenchServer()
  try {
    const file = path.join(server.folder, 'usage.csv')
    await writeUsageFile(file, { rows, shape: 'few_customers', seed: 1 })
    const usual: number[] = []
    const uploads: number[] = []
    for (let round = 0; round < rounds; round++) {
      const database = await server.freshDatabase()
      usual.push(await tutorialImport(database.url, file))
      const ingest = await server.freshIngest(database)
      uploads.push((await ingest.upload(file)).seconds)
      await ingest.stop()
    }
    const [tutorial, upload] = [median(usual), median(uploads)]
    return [
      {
        work: `upload ${rows} rows, times faster`,
        measured: seconds(upload),
        against: `fast-csv + Sequelize ${seconds(tutorial)}`,
        value: tutorial / upload,
        bar: { atLeast: 10 },
      },
    ]
  } finally {
    await server.stop()
  }
}
