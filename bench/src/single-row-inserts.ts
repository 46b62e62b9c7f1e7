import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { Client } from 'pg'

const run = promisify(execFile)

const SCRIPT = `\\set customer random(0, 99)
insert into single_rows values ('customer-' || :customer, 'api_call', gen_random_uuid()::text, now());
`

async function hasPgbench(): Promise<boolean> {
  return run('pgbench', ['--version']).then(
    () => true,
    () => false,
  )
}

/** Single-row inserts, one transaction each, prepared: by pgbench if it is there, else by our own loop. */
export async function singleRowInserts(
  url: string,
  options: { clients: number; seconds: number; folder: string },
): Promise<{ perSecond: number; by: string }> {
  const { clients, seconds, folder } = options
  const client = new Client({ connectionString: url })
  await client.connect()
  await client.query('drop table if exists single_rows')
  await client.query(
    'create table single_rows (customer_id text, event_type text, event_id text primary key, event_date timestamptz)',
  )
  await client.end()
  const isPgbench = await hasPgbench()
  const script = path.join(folder, 'single-row.sql')
  await writeFile(script, SCRIPT)
  const { stdout } = isPgbench
    ? await run('pgbench', [
        ...['-n', '-M', 'prepared', '-f', script, '-j', '2'],
        ...['-c', String(clients), '-T', String(seconds), url],
      ])
    : await run(process.execPath, [
        path.join(__dirname, 'single-row-inserts-main.js'),
        ...[url, String(clients), String(seconds)],
      ])
  return {
    perSecond: Number(/tps = ([\d.]+)/.exec(stdout)?.[1]),
    by: isPgbench ? 'pgbench' : 'own loop',
  }
}
