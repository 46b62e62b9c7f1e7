import { z } from 'zod'
import { startS3Server } from './s3/start-s3-server'

/** Set by the supervisor alone. Nothing of the platform is loaded here, so that a restart is quick. */
const Config = z.object({
  S3_FOLDER: z.string(),
  S3_PORT: z.coerce.number().int().min(0).max(65_535),
  BILLABLE_BUCKET: z.string(),
})

/** The embedded S3 server as a process of its own; it ends with the supervisor. Sends its address once it listens. */
async function main(): Promise<void> {
  const config = Config.parse(process.env)
  const server = await startS3Server({
    folder: config.S3_FOLDER,
    port: config.S3_PORT,
    buckets: [config.BILLABLE_BUCKET],
  })
  const stop = (): void => void server.stop().then(() => process.exit(0))
  process.once('SIGTERM', stop)
  process.once('disconnect', stop)
  process.send?.({ endpoint: server.endpoint })
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
})
