import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { prepareDatabase } from '@billtrail/db'
import { Client } from 'pg'
import { dropDatabase, withDatabase } from './template-database'
import { testDatabaseServer } from './use-test-database'

const MIGRATION = '20261121_0008_properties_are_hstore'
const DOWN = path.join(__dirname, '../../../db/migrations', `${MIGRATION}.down.sql`)

const name = `test_${randomBytes(6).toString('hex')}`
const url = () => withDatabase(testDatabaseServer(), name)

async function query(statement: string, values: unknown[] = []): Promise<object[]> {
  const client = new Client({ connectionString: url() })
  await client.connect()
  try {
    return (await client.query<object>(statement, values)).rows
  } finally {
    await client.end()
  }
}

async function takeBack(): Promise<void> {
  await query(
    `begin; ${await readFile(DOWN, 'utf8')}; delete from migrations where name = '${MIGRATION}'; commit`,
  )
}

beforeAll(async () => {
  const server = new Client({ connectionString: testDatabaseServer() })
  await server.connect()
  await server.query(`create database ${name}`)
  await server.end()
  await prepareDatabase(url())
})
afterAll(() => dropDatabase(testDatabaseServer(), name))

const PROPERTIES = [
  null,
  {},
  { region: 'eu' },
  { bb: '', a: 'null', 'say "it"': '\\"', 'a=>b': '"x"=>"y", NULL', größe: '東京 🎈\n\t\u0001' },
  Object.fromEntries(Array.from({ length: 64 }, (_name, at) => [`p${at}`, 'x'.repeat(8 * 1024)])),
]
const COLUMNS =
  'customer_no, event_type_no, event_date, event_key, upload_no, line, quantity, properties'
const TABLES: readonly [table: string, column: string, value: string][] = [
  ['events', 'segment_no', '1'],
  // Of a sealed segment.
  ['events', 'segment_no', '2'],
  ['event_claims', 'outcome', `'conflict'`],
  ['staged_events', 'unit_price', 'null'],
]

/** What is stored, as JSON text; null stays null. */
const stored = (asText: string) =>
  query(
    `select tableoid::regclass::text as "table", line, ${asText} as properties from events
     union all select 'event_claims', line, ${asText} from event_claims
     union all select 'staged_events', line, ${asText} from staged_events
     union all select 'claims', line, ${asText} from claims
     order by 1, 2`,
  )

test('stored properties are the same after the migration to hstore, and after it is taken back', async () => {
  await takeBack()
  await query(
    `create table events_2 (like events_1 including all);
     alter table events attach partition events_2 for values in (2)`,
  )
  for (const [table, column, value] of TABLES) {
    await query(
      `insert into ${table} (${COLUMNS}, ${column})
       select 1, 1, '2026-03-01', gen_random_uuid(), 1, line, 1, properties, ${value}
       from unnest($1::jsonb[]) with ordinality as given (properties, line)`,
      [PROPERTIES.map((properties) => (properties === null ? null : JSON.stringify(properties)))],
    )
  }
  const before = await stored('properties::text')
  expect(before).toHaveLength(5 * PROPERTIES.length)

  expect(await prepareDatabase(url())).toEqual([MIGRATION])
  expect(await stored('hstore_to_jsonb(properties)::text')).toEqual(before)
  expect(await query(`select distinct pg_typeof(properties)::text as type from events`)).toEqual([
    { type: 'hstore' },
  ])

  await takeBack()
  expect(await stored('properties::text')).toEqual(before)
})

test('where hstore is in a schema in which services do not look, the migration says so and does nothing', async () => {
  await query('create schema elsewhere; create extension hstore schema elsewhere')
  await expect(prepareDatabase(url())).rejects.toThrow(/hstore is in another schema than public/)
  expect(await query(`select from migrations where name = '${MIGRATION}'`)).toEqual([])
  await query('alter extension hstore set schema public')
  expect(await prepareDatabase(url())).toEqual([MIGRATION])
})
