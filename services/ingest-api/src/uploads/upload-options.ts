import { DomainError, zoneOffset } from '@billtrail/domain'
import { z } from 'zod'

const DELIMITERS = { ',': ',', ';': ';', tab: '\t', '\t': '\t', '|': '|' } as const

/** The query of `POST /v1/uploads`. */
export const UploadQuery = z.object({
  mode: z.enum(['commit', 'preview']).default('commit').meta({
    description: 'preview: stage the file and show what it would do, without effect',
  }),
  strict: z.enum(['true', 'false']).default('false').meta({
    description: 'true: refuse the whole file if any row is rejected',
  }),
  event_id: z.enum(['derive']).optional().meta({
    description: 'derive: rows without an event_id get one made from their content',
  }),
  columns: z.string().max(2_000).optional().meta({
    description: 'Foreign headers, `customer_id:ResourceId,quantity:UsageQuantity`',
  }),
  delimiter: z.enum([',', ';', 'tab', '\t', '|']).optional().meta({
    description: 'Detected when absent',
  }),
  timezone: z.string().max(64).optional().meta({
    description: 'IANA zone of dates without an offset; default the organization’s',
  }),
  future: z.enum(['allow']).optional().meta({
    description: 'allow: accept dates more than one day ahead',
  }),
})

export interface UploadOptions {
  readonly preview: boolean
  /** `Prefer: respond-async`: answer when the rows are durably staged, and go on. */
  readonly respondAsync: boolean
  readonly strict: boolean
  readonly deriveIds: boolean
  readonly columns: Readonly<Record<string, string>> | undefined
  readonly delimiter: ',' | ';' | '\t' | '|' | undefined
  readonly timezone: string | undefined
  readonly allowFuture: boolean
}

/** `customer_id:ResourceId,quantity:Usage` as an object. A header may hold colons, not commas. */
function parseColumns(text: string): Record<string, string> {
  const pairs = text.split(',').map((pair) => {
    const colon = pair.indexOf(':')
    const [ours, theirs] = [pair.slice(0, colon).trim(), pair.slice(colon + 1).trim()]
    if (colon < 1 || ours === '' || theirs === '') {
      throw new DomainError(
        'invalid',
        'invalid_columns',
        `columns: "${pair}" is not our_name:their_header.`,
        [
          {
            field: 'columns',
            message: 'write columns=customer_id:ResourceId,quantity:UsageQuantity',
          },
        ],
      )
    }
    return [ours, theirs] as const
  })
  return Object.fromEntries(pairs)
}

/** What the caller asked for. Throws `invalid_columns`, `unknown_timezone`. */
export function uploadOptions(
  query: z.output<typeof UploadQuery>,
  prefer: string | undefined,
): UploadOptions {
  if (query.timezone !== undefined) zoneOffset(query.timezone)
  return {
    preview: query.mode === 'preview',
    respondAsync: /\brespond-async\b/i.test(prefer ?? ''),
    strict: query.strict === 'true',
    deriveIds: query.event_id === 'derive',
    columns: query.columns === undefined ? undefined : parseColumns(query.columns),
    delimiter: query.delimiter === undefined ? undefined : DELIMITERS[query.delimiter],
    timezone: query.timezone,
    allowFuture: query.future === 'allow',
  }
}
