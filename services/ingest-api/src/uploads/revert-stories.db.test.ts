import { inTransaction } from '@billtrail/platform'
import fc from 'fast-check'
import { countPendingUsage } from '../storing/count-usage.repo'
import { waitForStoring } from '../storing/store.repo'
import { whatCounts } from '../testing/imbalances.repo'
import type { IngestClient, Upload } from '../testing/ingest-client'
import { type UsageRow, usageCsv } from '../testing/usage-csv'
import { ANY_KEY_BYTES, type IngestApi, useIngestApi } from '../testing/use-ingest-api'

const inOneSegment = useIngestApi()
/** Each file ends in a segment that is left: what was sent before is in sealed ones. */
const inMany = useIngestApi({ keyBytesMax: ANY_KEY_BYTES })
/** Files come in several batches, which meet one another's rows. */
const inTinyBatches = useIngestApi({ batchRows: { small: 2, large: 3 } })

const CROWD = 70
const CROWD_ROWS = 100

const CONTENTS = [
  { event_type: 'call', event_date: '2025-09-30T23:30:00Z', quantity: '1' },
  { event_type: 'call', event_date: '2025-10-01T00:30:00Z', quantity: '1' },
  { event_type: 'message', event_date: '2025-10-01T00:30:00Z', quantity: '-2.5' },
]

/** Few keys and few contents, so that rows repeat and contradict each other within files and across them. */
const row: fc.Arbitrary<UsageRow> = fc
  .record({
    customer_id: fc.constantFrom('c1', 'c2'),
    event_id: fc.constantFrom('e1', 'f3c1a1de-0d4e-4c8e-9d0b-3a2f5b6c7d8e'),
    content: fc.constantFrom(...CONTENTS),
  })
  .map(({ content, ...key }) => ({ ...key, ...content }))
const fewRows = fc.array(row, { minLength: 1, maxLength: 6 })

/** One event each, or two, of some of more customers than are neighbours; some with another content. */
const crowd = fc
  .record({
    first: fc.nat(CROWD - 1),
    customers: fc.constantFrom(5, 20, CROWD),
    everyNth: fc.constantFrom(1, 1, 3),
    otherNth: fc.nat(9),
  })
  .map(({ first, customers, everyNth, otherNth }) =>
    Array.from({ length: CROWD_ROWS }, (_row, at) => ({
      customer_id: `n${at % CROWD}`,
      event_id: `e${at}`,
      ...CONTENTS[otherNth > 1 && at % otherNth === 0 ? 2 : 0]!,
    })).filter(
      (_row, at) => (at % CROWD) - first < customers && at % CROWD >= first && at % everyNth === 0,
    ),
  )
  .filter((all) => all.length > 0)
const which = fc.nat(9)

const stepWith = (rows: fc.Arbitrary<UsageRow[]>) =>
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ does: fc.constant('upload' as const), rows }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('post' as const), rows }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('preview' as const), rows }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('commit' as const), which }) },
    { weight: 1, arbitrary: fc.record({ does: fc.constant('discard' as const), which }) },
    { weight: 5, arbitrary: fc.record({ does: fc.constant('revert' as const), which }) },
    { weight: 2, arbitrary: fc.record({ does: fc.constant('accept' as const), which }) },
    // Usage is counted some time after an upload's answer; what is withdrawn before and after differs inside.
    { weight: 2, arbitrary: fc.record({ does: fc.constant('count' as const) }) },
  )
type Step = ReturnType<typeof stepWith> extends fc.Arbitrary<infer T> ? T : never

/** Something that counts: a file, events sent over the API, or an accepted conflict on a line of a file. */
type Deed =
  | { readonly kind: 'file'; readonly rows: readonly UsageRow[]; readonly upload: Upload }
  | { readonly kind: 'post'; readonly rows: readonly UsageRow[] }
  | { readonly kind: 'accept'; readonly upload: Upload; readonly line: number }

interface Story {
  readonly api: IngestApi
  readonly client: IngestClient
  previews: { rows: readonly UsageRow[]; upload: Upload }[]
  /** In the order in which they came to count; what was reverted is gone. */
  deeds: Deed[]
}

const pick = <T>(all: readonly T[], at: number): T | undefined => all[at % Math.max(1, all.length)]

async function act(client: IngestClient, path: string): Promise<void> {
  expect(await client.call('POST', path)).toMatchObject({ status: 200 })
}

function countUsage({ api, client: { organizationId } }: Story): Promise<void> {
  return inTransaction(api.owner(), async (sql) => {
    await waitForStoring(sql, organizationId)
    await countPendingUsage(sql, organizationId)
  })
}

async function acceptOne(story: Story, at: number): Promise<void> {
  const files = story.deeds.flatMap((deed) => (deed.kind === 'file' ? [deed.upload] : []))
  const lists = await Promise.all(files.map((upload) => story.client.conflicts(upload)))
  const conflict = pick(
    files.flatMap((upload, file) => lists[file]!.map(({ line }) => ({ upload, line }))),
    at,
  )
  if (!conflict) return
  await act(story.client, `/v1/uploads/${conflict.upload.id}/conflicts/${conflict.line}/accept`)
  story.deeds.push({ kind: 'accept', ...conflict })
}

async function revertOne(story: Story, at: number): Promise<void> {
  const deed = pick(
    story.deeds.filter((one) => one.kind === 'file'),
    at,
  )
  if (!deed) return
  await act(story.client, `/v1/uploads/${deed.upload.id}/revert`)
  story.deeds = story.deeds.filter((one) => one.kind === 'post' || one.upload.id !== deed.upload.id)
}

async function takeStep(story: Story, taken: Step): Promise<void> {
  const { client, deeds, previews } = story
  switch (taken.does) {
    case 'upload': {
      const upload = await client.upload(usageCsv(taken.rows))
      deeds.push({ kind: 'file', rows: taken.rows, upload })
      return
    }
    case 'post':
      await client.postEvents(taken.rows)
      deeds.push({ kind: 'post', rows: taken.rows })
      return
    case 'preview': {
      const upload = await client.upload(usageCsv(taken.rows), 'mode=preview')
      previews.push({ rows: taken.rows, upload })
      return
    }
    case 'commit':
    case 'discard': {
      const preview = pick(previews, taken.which)
      if (!preview) return
      await act(client, `/v1/uploads/${preview.upload.id}/${taken.does}`)
      story.previews = previews.filter((one) => one !== preview)
      if (taken.does === 'commit') deeds.push({ kind: 'file', ...preview })
      return
    }
    case 'revert':
      return revertOne(story, taken.which)
    case 'accept':
      return acceptOne(story, taken.which)
    case 'count':
      return countUsage(story)
  }
}

const countsOf = ({ rows, accepted, duplicates, conflicts, rejected }: Upload) => ({
  rows,
  accepted,
  duplicates,
  conflicts,
  rejected,
})

async function currentCounts(client: IngestClient, uploads: readonly Upload[]) {
  const now = new Map((await client.uploads()).map((upload) => [upload.id, upload]))
  return uploads.map(({ id }) => countsOf(now.get(id)!))
}

/** Does again, in an organization that knows nothing, only what still counts; answers the counts of its files. */
async function tellAnew(client: IngestClient, deeds: readonly Deed[]) {
  const retold = new Map<string, Upload>()
  for (const deed of deeds) {
    if (deed.kind === 'post') await client.postEvents(deed.rows)
    else if (deed.kind === 'file') {
      retold.set(deed.upload.id, await client.upload(usageCsv(deed.rows)))
    } else {
      // Where the value that it replaced came from a reverted file, this one counts already or is a duplicate.
      const { id } = retold.get(deed.upload.id)!
      const answer = await client.call('POST', `/v1/uploads/${id}/conflicts/${deed.line}/accept`)
      expect([200, 404]).toContain(answer.status)
    }
  }
  return currentCounts(client, [...retold.values()])
}

const ledgerOf = async (client: IngestClient) => (await client.call('GET', '/v1/ledger')).body

test.each([
  ['few', fewRows, 20],
  ['many', crowd, 40],
])(
  'of %s customers any order of files, events, previews, corrections and reverts ends as if the reverted files had never been sent',
  async (_few, rows, numRuns) => {
    const places = fc.constantFrom(inOneSegment, inMany, inTinyBatches)
    const steps = fc.array(stepWith(rows), { minLength: 8, maxLength: 16, size: 'max' })
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), places, async (all, isCorrected, api) => {
        const [client, fresh] = await Promise.all([api.addClient(), inOneSegment.addClient()])
        const story: Story = { api, client, previews: [], deeds: [] }
        for (const taken of all) {
          if (taken.does !== 'accept' || isCorrected) await takeStep(story, taken)
        }
        const counts = await tellAnew(fresh, story.deeds)

        expect(await whatCounts(api.owner(), client.organizationId)).toEqual(
          await whatCounts(inOneSegment.owner(), fresh.organizationId),
        )
        // Which of two files with the same value brings it depends on a correction; what counts does not.
        if (!isCorrected) {
          const files = story.deeds.flatMap((deed) => (deed.kind === 'file' ? [deed.upload] : []))
          expect(await currentCounts(client, files)).toEqual(counts)
        }
        expect(await ledgerOf(client)).toMatchObject({ balanced: true, differences: [] })
      }),
      { numRuns, endOnFailure: true },
    )
  },
  150_000,
)
