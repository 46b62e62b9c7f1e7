import fc from 'fast-check'
import { whatCounts } from '../testing/imbalances.repo'
import { type UsageRow, usageCsv } from '../testing/usage-csv'
import { ANY_KEY_BYTES, FEW_ROWS, useIngestApi } from '../testing/use-ingest-api'
import { UPLOADS_AT_ONCE } from './limit-uploads'

const inOneSegment = useIngestApi()
/** Each upload ends in a segment that is left: what was sent before is in sealed ones. */
const inMany = useIngestApi({ keyBytesMax: ANY_KEY_BYTES })
const inSmallBatches = useIngestApi({ batchRows: FEW_ROWS })

const day = fc.integer({ min: 1, max: 28 }).map((date) => String(date).padStart(2, '0'))
const row: fc.Arbitrary<UsageRow> = fc.record({
  customer_id: fc.constantFrom('c1', 'c2', 'c3'),
  event_type: fc.constantFrom('call', 'message'),
  event_id: fc.oneof(fc.uuid(), fc.stringMatching(/^[a-z0-9]{1,6}$/)),
  event_date: fc
    .tuple(fc.constantFrom('09', '10'), day)
    .map(([month, date]) => `2025-${month}-${date}T23:30:00Z`),
  quantity: fc
    .tuple(fc.integer({ min: -50, max: 500 }), fc.integer({ min: 0, max: 999 }))
    .map(([whole, part]) => `${whole}.${String(part).padStart(3, '0')}`),
})
const rows = fc.uniqueArray(row, {
  minLength: 1,
  maxLength: 60,
  selector: (one) => `${one.customer_id} ${one.event_id}`,
})

const CUTS_MAX = 4
const PARTS_MAX = CUTS_MAX + 1

/** Rows in any order, cut into parts anywhere; then some of the parts a second time. No more than may come at once. */
const story = rows.chain((all) =>
  fc.record({
    all: fc.constant(all),
    order: fc.shuffledSubarray(all, { minLength: all.length }),
    cuts: fc.array(fc.nat(all.length), { maxLength: CUTS_MAX }),
    again: fc.array(fc.nat(CUTS_MAX), { maxLength: UPLOADS_AT_ONCE - PARTS_MAX }),
    overApi: fc.array(fc.boolean(), { minLength: PARTS_MAX, maxLength: PARTS_MAX }),
    atOnce: fc.boolean(),
    api: fc.constantFrom(inOneSegment, inMany, inSmallBatches),
  }),
)

function parts(order: readonly UsageRow[], cuts: readonly number[]): UsageRow[][] {
  const ends = [...cuts, order.length].sort((a, b) => a - b)
  return ends.map((end, at) => order.slice(at === 0 ? 0 : ends[at - 1], end))
}

test('rows split anywhere, in any order, any part sent again, count as if sent once', async () => {
  await fc.assert(
    fc.asyncProperty(story, async ({ all, order, cuts, again, overApi, atOnce, api }) => {
      const [once, often] = await Promise.all([api.addClient(), api.addClient()])
      await once.upload(usageCsv(all))

      const files = parts(order, cuts)
      const sendings = [...files, ...again.map((at) => files[at % files.length]!)].map(
        (file, at) => async () => {
          if (overApi[at % overApi.length] && file.length > 0) await often.postEvents(file)
          else await often.upload(usageCsv(file))
        },
      )
      if (atOnce) await Promise.all(sendings.map((send) => send()))
      else for (const send of sendings) await send()

      const sql = api.owner()
      expect(await whatCounts(sql, often.organizationId)).toEqual(
        await whatCounts(sql, once.organizationId),
      )
    }),
    { numRuns: 30, endOnFailure: true },
  )
}, 120_000)
