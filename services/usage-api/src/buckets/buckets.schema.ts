import { BUCKETS } from '@billtrail/domain'
import { z } from 'zod'

const PROPERTY = /^properties\.(.+)$/s
const GROUPS_MAX = 5

/** What buckets are split by besides time. */
export type Group =
  | { readonly field: 'customer_id' | 'event_type' }
  | { readonly field: `properties.${string}`; readonly property: string }

const GroupBy = z
  .string()
  .transform((text, context): Group[] => {
    const names = [...new Set(text.split(','))]
    const groups = names.map(groupOf)
    if (names.length <= GROUPS_MAX && groups.every((group) => group !== null)) return groups
    context.addIssue({
      code: 'custom',
      message: `takes up to ${GROUPS_MAX} of customer_id, event_type and properties.<name>, separated by commas`,
    })
    return z.NEVER
  })
  .meta({ example: 'customer_id,properties.region' })

function groupOf(name: string): Group | null {
  if (name === 'customer_id' || name === 'event_type') return { field: name }
  const property = PROPERTY.exec(name)?.[1]
  return property === undefined ? null : { field: `properties.${property}`, property }
}

const shared = {
  start_date: z.string().optional().meta({
    description:
      'Counts events from here on. Without an offset in the zone of the answer. Left out: from the first',
    example: '2026-03-01',
  }),
  end_date: z.string().optional().meta({
    description: 'Counts events before this. Left out: to the last',
    example: '2026-04-01',
  }),
  bucket: z.enum(BUCKETS).default('day'),
  event_type: z.string().optional(),
  fill: z.enum(['zero']).optional().meta({ description: '`zero`: empty buckets too' }),
}

export const CustomerBucketsParams = z.object({ id: z.string() })
export const CustomerBucketsQuery = z.object(shared)
export const BucketsQuery = z.object({
  ...shared,
  customer_id: z.string().optional(),
  group_by: GroupBy.optional(),
})

/** Which usage to count, over which time, split how. */
export type BucketsRequest = z.output<typeof BucketsQuery>

const Bucket = z
  .object({
    start: z.string().meta({ description: 'When the bucket begins, in UTC' }),
    quantity: z.string(),
    events: z.int(),
  })
  .catchall(z.union([z.string(), z.number(), z.null()]))
  .meta({ description: 'With a field for each group: customer_id, event_type, properties.<name>' })

export const BucketsAnswer = z
  .object({
    data: z.array(Bucket),
    next_cursor: z.null(),
    customer: z.string().optional(),
    bucket: z.enum(BUCKETS),
    timezone: z.string().meta({ description: 'The zone whose hours, days and months these are' }),
    start_date: z.string().nullable().meta({ description: 'Null: there are no events' }),
    end_date: z.string().nullable(),
  })
  .meta({ id: 'UsageBuckets' })
