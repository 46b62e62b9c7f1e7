import { mkdtemp, chmod, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { prepareDatabase } from '@billtrail/db'
import { startPostgres } from '../postgres/start-postgres'
import { startS3Server } from '../s3/start-s3-server'
import { createTemplate } from './template-database'

/** What the tests need to know; sent once over the channel. */
export interface TestServers {
  readonly databaseUrl: string
  readonly s3Endpoint: string
}

/** One PostgreSQL with a migrated template and one S3 server, for a whole run of tests; gone when the run is. */
async function main(): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'billtrail-test-'))
  // As root, PostgreSQL runs as another user, who must get in.
  await chmod(folder, 0o755)
  const log: string[] = []
  const [postgres, s3] = await Promise.all([
    startPostgres({
      folder: path.join(folder, 'postgres'),
      durable: false,
      removeWhenOrphaned: folder,
      onLog: (line) => log.push(line) > 50 && log.shift(),
    }),
    startS3Server({ folder: path.join(folder, 's3'), port: 0, buckets: [] }),
  ])
  let stopping = false
  void postgres.exited.then((reason) => {
    if (stopping) return
    process.stderr.write(`The tests' PostgreSQL ended: ${reason}\n${log.join('\n')}\n`)
  })
  process.once('disconnect', () => {
    stopping = true
    void (async () => {
      await Promise.all([postgres.stopNow(), s3.stop()])
      await rm(folder, { recursive: true, force: true })
      process.exit(0)
    })()
  })
  await createTemplate(postgres.url, prepareDatabase)
  const servers: TestServers = { databaseUrl: postgres.url, s3Endpoint: s3.endpoint }
  process.send?.(servers)
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
  process.exit(1)
})
