import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

const service = (setting: string): string => `
import { createServer } from 'node:http'
const server = createServer((_req, res) => res.end(JSON.stringify({ status: 'ready', pid: process.pid })))
server.listen(Number(process.env['${setting}']), '127.0.0.1')
console.log(JSON.stringify({ level: 'info', msg: 'listening', pid: process.pid }))
console.log(JSON.stringify({ level: 'warn', msg: 'a warning of ${setting}' }))
process.on('SIGTERM', () => server.close(() => {
  console.log(JSON.stringify({ level: 'info', msg: 'stopped in good order' }))
  process.exit(0)
}))
process.on('disconnect', () => process.exit(0))
`

const PREPARE = `
import { existsSync, writeFileSync } from 'node:fs'
const file = process.env['BILLTRAIL_DATA_DIR'] + '/admin-key'
if (!existsSync(file)) {
  writeFileSync(file, 'the-secret-key')
  console.log('Admin key, shown only now: the-secret-key')
}
`

const FILES: Readonly<Record<string, string>> = {
  'db/src/main.ts': PREPARE,
  'services/ingest-api/src/main.ts': service('INGEST_PORT'),
  'services/usage-api/src/main.ts': service('USAGE_PORT'),
  'services/billing-worker/src/main.ts': service('BILLING_PORT'),
  'services/invoice-api/src/main.ts': service('INVOICE_PORT'),
  'services/gateway/src/main.ts': service('GATEWAY_PORT'),
  'embedded/src/s3-main.ts': `require(${JSON.stringify(path.join(__dirname, '..', 's3-main.ts'))})`,
}

/**
 * Writes a product whose services only answer that they are ready, for tests of the supervisor. PostgreSQL and the
 * S3 server are the real ones.
 */
export async function writeStubProduct(folder: string): Promise<void> {
  for (const [name, text] of Object.entries(FILES)) {
    const file = path.join(folder, name)
    await mkdir(path.dirname(file), { recursive: true })
    await writeFile(file, text)
  }
}
