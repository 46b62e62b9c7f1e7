import { createServer, type Server } from 'node:http'
import { mkdir } from 'node:fs/promises'
import S3rver from '@20minutes/s3rver'

export interface RunningS3Server {
  readonly endpoint: string
  /** Answers what is being asked, then closes. */
  stop(): Promise<void>
}

/**
 * Serves a folder by the S3 protocol, inside this process; resolves when it listens.
 *
 * Rejects with EADDRINUSE when somebody has the port; 0 takes any.
 */
export async function startS3Server(options: {
  folder: string
  port: number
  buckets: readonly string[]
}): Promise<RunningS3Server> {
  await mkdir(options.folder, { recursive: true })
  const server = new S3rver({
    address: '127.0.0.1',
    port: options.port,
    directory: options.folder,
    silent: true,
    vhostBuckets: false,
    // It cannot check how today's clients sign a request with a body, nor need it: nobody else reaches it.
    allowMismatchedSignatures: true,
    configureBuckets: options.buckets.map((name) => ({ name })),
  })
  // Its own run() would never say that a port is taken: it drops the error.
  await server.configureBuckets()
  const http = await listen(server, options.port)
  const address = http.address()
  const port = typeof address === 'object' && address !== null ? address.port : options.port
  return {
    endpoint: `http://127.0.0.1:${port}`,
    stop: () =>
      new Promise((resolve) => {
        http.close(() => resolve())
        http.closeIdleConnections()
      }),
  }
}

function listen(server: S3rver, port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const http = createServer(server.callback())
    http.once('error', reject)
    http.listen(port, '127.0.0.1', () => resolve(http))
  })
}
