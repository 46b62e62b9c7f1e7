import { useTestBucket } from './use-test-bucket'
import { useTestDatabase } from './use-test-database'

describe('a test file', () => {
  const database = useTestDatabase('billtrail_ingest')
  const bucket = useTestBucket()

  test('gets a database of its own with the newest schema and nothing in it', async () => {
    const { rows } = await database.pool('owner').query<{ tables: number; organizations: string }>(
      `select (select count(*) from organizations)::text as organizations,
              (select count(*)::int from information_schema.tables where table_schema = 'public') as tables`,
    )
    expect(rows[0]?.organizations).toBe('0')
    expect(rows[0]?.tables).toBeGreaterThan(10)
  })

  test('connects as the role of its service, with only that one’s grants', async () => {
    const { rows } = await database.pool().query<{ role: string }>('select current_user as role')
    expect(rows[0]?.role).toBe('billtrail_ingest')
    await expect(database.pool().query('delete from invoices')).rejects.toThrow('permission denied')
  })

  test('gets a bucket of its own that keeps what is put into it', async () => {
    expect(await bucket.files().get('a/b.txt')).toBeUndefined()
    await bucket.files().put('a/b.txt', Buffer.from('ünïcode\n'), 'text/plain')
    expect((await bucket.files().get('a/b.txt'))?.toString('utf8')).toBe('ünïcode\n')
  })

  test('sorts texts by their code points, whatever the machine speaks', async () => {
    const { rows } = await database
      .pool('owner')
      .query<{ word: string }>(
        `select word from unnest(array['b', 'A', 'ä', 'a', 'B', 'z']) as word order by word`,
      )
    expect(rows.map((row) => row.word)).toEqual(['A', 'B', 'a', 'b', 'z', 'ä'])
  })
})
