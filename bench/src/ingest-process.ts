import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { type ServiceProcess, startService, type Timed } from './service-process'

export interface UploadCounts {
  readonly id: string
  readonly rows: number
  readonly accepted: number
  readonly duplicates: number
  readonly conflicts: number
  readonly rejected: number
}

export interface IngestProcess extends ServiceProcess {
  upload(file: string, query?: string): Promise<Timed<UploadCounts>>
}

/** Starts ingest-api on a database and waits until it listens. */
export async function startIngest(options: {
  databaseUrl: string
  key: string
  port: number
}): Promise<IngestProcess> {
  const service = await startService('ingest-api', options)
  return {
    ...service,
    async upload(file, query = '') {
      const { size } = await stat(file)
      const body = createReadStream(file, { highWaterMark: 256 * 1024 })
      const headers = { 'content-type': 'text/csv', 'content-length': size }
      return (await service.call(
        'POST',
        `/v1/uploads${query}`,
        body,
        headers,
      )) as Timed<UploadCounts>
    },
  }
}
