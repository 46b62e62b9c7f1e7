import { useTestDatabase } from '@billtrail/embedded/testing'
import { createLogger, createPool, inTransaction, isDatabaseUnavailable } from '@billtrail/platform'
import { copyRows } from './store.repo'

const database = useTestDatabase()

test('rows to which a connection gives no answer are given up, and the next ones get another connection', async () => {
  const owner = database.pool()
  await owner.query('create table copied (line int)')
  const pool = createPool({
    url: database.url(),
    maxConnections: 1,
    answerTimeoutMs: 3_000,
    logger: createLogger({ service: 'test', level: 'silent' }),
  })
  const closed = new Promise((resolve) => pool.once('remove', resolve))
  await inTransaction(owner, async (holder) => {
    await holder.query('lock table copied in exclusive mode')
    const copied = inTransaction(pool, (client) =>
      copyRows(client, { table: 'copied', columns: ['line'] }, []),
    )
    const failure: unknown = await copied.catch((error: unknown) => error)
    expect(isDatabaseUnavailable(failure)).toBe(true)
    await closed
    // What the closing had to say to whom has been said.
    await new Promise(setImmediate)
  })
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await pool.end()
})
