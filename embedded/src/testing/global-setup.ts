import type { ChildProcess } from 'node:child_process'
import path from 'node:path'
import { spawnFromSource } from './spawn-from-source'
import type { TestServers } from './servers-main'

declare global {
  // Jest loads setup and teardown apart; what they share has to hang here.
  var billtrailTestServers: ChildProcess | undefined
}

function started(servers: ChildProcess): Promise<TestServers> {
  return new Promise((resolve, reject) => {
    servers.once('message', (message) => resolve(message as TestServers))
    servers.once('error', reject)
    servers.once('exit', () =>
      reject(new Error("The tests' database and S3 server did not start.")),
    )
  })
}

/**
 * Starts what the database tests share, and tells them where it is.
 *
 * The servers have a process of their own, which ends with this one however that happens.
 */
async function globalSetup(): Promise<void> {
  const servers = spawnFromSource(path.join(__dirname, 'servers-main.ts'), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  globalThis.billtrailTestServers = servers
  const { databaseUrl, s3Endpoint } = await started(servers)
  process.env['BILLTRAIL_TEST_DATABASE_URL'] = databaseUrl
  process.env['BILLTRAIL_TEST_S3_ENDPOINT'] = s3Endpoint
}

// Jest takes nothing but a default export here.
export default globalSetup
