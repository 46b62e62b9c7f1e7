import { PageQuery, pageSchema } from '@billtrail/platform'
import { z } from 'zod'

const instant = z.iso.datetime({
  offset: true,
  error: 'is not an RFC 3339 date such as 2026-03-01T00:00:00Z',
})

export const EventsQuery = PageQuery.extend({
  customer_id: z.string().max(255).optional(),
  event_type: z.string().max(255).optional(),
  start_date: instant.optional().meta({ description: 'Happened at or after' }),
  end_date: instant.optional().meta({ description: 'Happened before' }),
  upload_id: z.uuid({ error: 'is not an upload id' }).optional(),
})

export const EventAnswer = z
  .object({
    customer_id: z.string(),
    event_type: z.string(),
    event_id: z.string(),
    event_date: z.string(),
    quantity: z.string(),
    unit_price: z.string().nullable(),
    properties: z.record(z.string(), z.string()),
    source: z
      .object({ upload_id: z.string().nullable(), filename: z.string().nullable(), line: z.int() })
      .meta({ description: 'Where it came from; upload_id null: sent over the API' }),
  })
  .meta({ id: 'Event' })

export const EventsAnswer = pageSchema(EventAnswer)

export const PostEventsAnswer = z
  .object({
    accepted: z.int(),
    duplicates: z.int(),
    conflicts: z.int(),
    rejected: z.int(),
    results: z.array(
      z.object({
        index: z.int().meta({ description: 'Position in the request, from 0' }),
        status: z.enum(['accepted', 'duplicate', 'conflict', 'rejected']),
        customer_id: z.string().nullable(),
        event_id: z.string().nullable(),
        column: z.string().nullable().optional(),
        reason: z.string().optional(),
        message: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'EventResults' })
