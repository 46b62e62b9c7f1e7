import { randomBytes } from 'node:crypto'
import { emptyDatabase, prepareDatabase } from '@billtrail/db'
import { Client } from 'pg'
import { dropDatabase, withDatabase } from './template-database'
import { testDatabaseServer } from './use-test-database'

/** Everything a migration can make, one line of text each. */
const LISTING = `
  with ours as (select oid from pg_namespace where nspname = 'public')
  select format('%s %s persistence %s options %s acl %s', relkind, relname, relpersistence, reloptions, relacl) as line
    from pg_class where relnamespace in (select oid from ours)
  union all
  select format('column %s.%s %s %s not null %s default %s identity %s generated %s storage %s acl %s',
      relname, attnum, attname, format_type(atttypid, atttypmod), attnotnull, pg_get_expr(adbin, adrelid),
      attidentity, attgenerated, attstorage, attacl)
    from pg_attribute join pg_class on pg_class.oid = attrelid
      left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where relnamespace in (select oid from ours) and attnum > 0
  union all
  select format('constraint %s of %s: %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
    from pg_constraint where connamespace in (select oid from ours)
  union all
  select format('index: %s', indexdef) from pg_indexes where schemaname = 'public'
  union all
  select format('view %s: %s', viewname, definition) from pg_views where schemaname = 'public'
  union all
  select format('sequence %s: %s from %s by %s cache %s', sequencename, data_type, start_value, increment_by, cache_size)
    from pg_sequences where schemaname = 'public'
  union all
  select format('trigger: %s', pg_get_triggerdef(oid)) from pg_trigger where not tgisinternal
  union all
  select format('function: %s acl %s', pg_get_functiondef(oid), proacl)
    from pg_proc where pronamespace in (select oid from ours)
  union all
  select format('type %s %s', typtype, typname) from pg_type
    where typnamespace in (select oid from ours) and typtype in ('d', 'e', 'r')
  order by line`

const name = `test_${randomBytes(6).toString('hex')}`
let url: string

async function run(address: string, statement: string): Promise<readonly { line: string }[]> {
  const client = new Client({ connectionString: address })
  await client.connect()
  try {
    return (await client.query<{ line: string }>(statement)).rows
  } finally {
    await client.end()
  }
}

const listing = async (): Promise<string[]> => (await run(url, LISTING)).map(({ line }) => line)

beforeAll(async () => {
  await run(testDatabaseServer(), `create database ${name}`)
  url = withDatabase(testDatabaseServer(), name)
})
afterAll(() => dropDatabase(testDatabaseServer(), name))

test('every migration can be taken back, and what comes after is what was before', async () => {
  const names = await prepareDatabase(url)
  const before = await listing()
  // It would be no proof if the listing did not see what migrations make.
  for (const sight of [
    'p events ',
    'r events_1 ',
    'column invoices.',
    'v usage ',
    'function: ',
    'trigger: ',
  ]) {
    expect(before.some((line) => line.startsWith(sight))).toBe(true)
  }
  expect(before.some((line) => line.includes('billtrail_invoice='))).toBe(true)

  expect(await emptyDatabase(url)).toEqual(names.toReversed())
  const left = (await listing()).filter((line) => !/\bmigrations(_\w+)?\b/.test(line))
  expect(left).toEqual([])

  expect(await prepareDatabase(url)).toEqual(names)
  expect(await listing()).toEqual(before)
})
