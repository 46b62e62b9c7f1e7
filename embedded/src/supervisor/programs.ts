import path from 'node:path'

/** The files of the programs that make up the product. */
export interface Programs {
  readonly prepare: string
  readonly s3: string
  readonly services: Readonly<Record<ServiceName, string>>
  readonly gateway: string
}

export const SERVICE_NAMES = ['ingest-api', 'usage-api', 'billing-worker', 'invoice-api'] as const
export type ServiceName = (typeof SERVICE_NAMES)[number]

/** Beside this program's own: all compiled (`dist/*.js`), or all sources (`src/*.ts`) where node can load those. */
export function programsOf(repository: string): Programs {
  const folder = path.basename(path.join(__dirname, '..'))
  const ending = path.extname(__filename)
  const file = (place: string, name = 'main') =>
    path.join(repository, place, folder, `${name}${ending}`)
  return {
    prepare: file('db'),
    s3: file('embedded', 's3-main'),
    services: {
      'ingest-api': file('services/ingest-api'),
      'usage-api': file('services/usage-api'),
      'billing-worker': file('services/billing-worker'),
      'invoice-api': file('services/invoice-api'),
    },
    gateway: file('services/gateway'),
  }
}
