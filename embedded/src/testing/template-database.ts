import { Client } from 'pg'

const TEMPLATE = 'billtrail_template'

/** The address of another database on the same server. */
export function withDatabase(url: string, database: string): string {
  const other = new URL(url)
  other.pathname = `/${database}`
  return other.toString()
}

async function run(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

/** Migrates a database once, for every test file to have a copy of. */
export async function createTemplate(
  adminUrl: string,
  migrate: (url: string) => Promise<unknown>,
): Promise<void> {
  await run(adminUrl, `create database ${TEMPLATE}`)
  await migrate(withDatabase(adminUrl, TEMPLATE))
}

/** A database with the newest schema and nothing in it. `name` is made of letters, digits and underscores. */
export async function copyTemplate(adminUrl: string, name: string): Promise<string> {
  await run(adminUrl, `create database ${name} template ${TEMPLATE}`)
  return withDatabase(adminUrl, name)
}

/** Drops a database, also under connections that a test has left open. */
export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await run(adminUrl, `drop database if exists ${name} with (force)`)
}
