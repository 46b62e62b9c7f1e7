import { PageQuery, pageSchema } from '@billtrail/platform'
import { z } from 'zod'

export const UploadParams = z.object({ id: z.uuid({ error: 'is not an upload id' }) })

export const UploadAnswer = z
  .object({
    id: z.uuid(),
    filename: z.string(),
    sha256: z.string().nullable().meta({ description: 'Of the bytes as sent, in hex' }),
    bytes: z.int(),
    state: z.enum(['processing', 'previewed', 'committed', 'reverted', 'failed']),
    rows: z.int(),
    accepted: z.int(),
    duplicates: z.int(),
    conflicts: z.int(),
    rejected: z.int(),
    started_at: z.string(),
    completed_at: z.string().nullable(),
    progress: z
      .object({ rows: z.int(), bytes: z.int(), bytes_expected: z.int().nullable() })
      .optional()
      .meta({ description: 'While processing' }),
    failure: z
      .object({ code: z.string(), message: z.string() })
      .optional()
      .meta({ description: 'Why it failed; nothing of the file counts' }),
  })
  .meta({ id: 'Upload' })

export const UploadsAnswer = pageSchema(UploadAnswer)

export const UploadsQuery = PageQuery.extend({
  state: UploadAnswer.shape.state.optional(),
  filename: z.string().max(1_000).optional(),
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'is not 64 hex digits')
    .optional(),
  start_date: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({ description: 'Started at or after' }),
  end_date: z.iso.datetime({ offset: true }).optional().meta({ description: 'Started before' }),
})

export const RejectsAnswer = pageSchema(
  z.object({
    line: z
      .int()
      .meta({ description: 'On which the row starts, every line of the file counted from 1' }),
    column: z
      .string()
      .nullable()
      .meta({ description: 'null when the shape of the row is at fault' }),
    reason: z.string(),
    message: z.string(),
    row: z.string(),
  }),
)

const EventValue = z.object({
  event_type: z.string(),
  event_date: z.string(),
  quantity: z.string(),
  unit_price: z.string().nullable(),
  properties: z.record(z.string(), z.string()),
})

export const ConflictsAnswer = pageSchema(
  z.object({
    line: z.int(),
    customer_id: z.string(),
    event_id: z.string(),
    stored: EventValue.extend({
      upload_id: z.string().nullable().meta({ description: 'null: sent over the API' }),
      line: z.int(),
    }).meta({ description: 'What counts' }),
    sent: EventValue.meta({ description: 'What this upload says instead' }),
  }),
)

export const ConflictParams = UploadParams.extend({ line: z.coerce.number().int().min(1) })

export const EffectsAnswer = pageSchema(
  z.object({
    customer_id: z.string(),
    name: z.string().nullable(),
    period: z.string(),
    currency: z.string(),
    quantity_before: z.string(),
    quantity_after: z.string(),
    amount_before: z.string(),
    amount_after: z.string(),
    amount_change: z.string().meta({ description: 'amount_after less amount_before' }),
  }),
)
