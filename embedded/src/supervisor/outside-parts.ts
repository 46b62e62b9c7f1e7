import { ConfigError } from '@billtrail/platform'
import { createFileStore } from '@billtrail/platform/file-store'
import { Client } from 'pg'

const CONNECT_MS = 5_000

const reasonOf = (error: unknown): string => {
  if (error instanceof AggregateError) return reasonOf(error.errors[0])
  const code = (error as NodeJS.ErrnoException).code
  // A network error's code says it all; a database's code is a number nobody knows.
  if (code !== undefined && /^E[A-Z]+/.test(code)) return code
  return error instanceof Error ? error.message || error.name : String(error)
}

/** Proves that the database of DATABASE_URL lets us in. Throws ConfigError, without the password, when not. */
export async function reachDatabase(url: string): Promise<void> {
  const { host, pathname } = new URL(url)
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_MS })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
  } catch (error) {
    throw new ConfigError(
      `DATABASE_URL: the database ${pathname.slice(1)} at ${host} cannot be used (${reasonOf(error)}).`,
    )
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Proves that the server of S3_ENDPOINT has our bucket, or makes it. Throws ConfigError when it cannot. */
export async function reachStorage(options: {
  endpoint: string
  region: string
  bucket: string
}): Promise<void> {
  const store = createFileStore(options)
  try {
    await store.ensureBucket()
  } catch (error) {
    throw new ConfigError(
      `S3_ENDPOINT=${options.endpoint}: the bucket ${options.bucket} cannot be used (${reasonOf(error)}).`,
    )
  } finally {
    store.close()
  }
}
