import { parseFile } from 'fast-csv'
import { DataTypes, Sequelize } from 'sequelize'

const BATCH = 1_000

function readWhole(file: string): Promise<Record<string, string>[]> {
  return new Promise((resolve, reject) => {
    const rows: Record<string, string>[] = []
    parseFile<Record<string, string>, Record<string, string>>(file, { headers: true })
      .on('error', reject)
      .on('data', (row: Record<string, string>) => rows.push(row))
      .on('end', () => resolve(rows))
  })
}

/** The usual way: the whole file as objects, then bulkCreate in batches that leaves out known ids. Seconds. */
export async function tutorialImport(url: string, file: string): Promise<number> {
  const sequelize = new Sequelize(url, { logging: false })
  try {
    const model = sequelize.define(
      'tutorial_event',
      {
        customer_id: DataTypes.TEXT,
        event_type: DataTypes.TEXT,
        event_id: { type: DataTypes.TEXT, primaryKey: true },
        event_date: DataTypes.DATE,
      },
      { timestamps: false },
    )
    await model.sync({ force: true })
    const startedAt = performance.now()
    const rows = await readWhole(file)
    for (let at = 0; at < rows.length; at += BATCH) {
      await model.bulkCreate(rows.slice(at, at + BATCH), { ignoreDuplicates: true })
    }
    const seconds = (performance.now() - startedAt) / 1000
    // What comes after it must not pay for writing it back.
    await model.drop()
    await sequelize.query('checkpoint')
    return seconds
  } finally {
    await sequelize.close()
  }
}
