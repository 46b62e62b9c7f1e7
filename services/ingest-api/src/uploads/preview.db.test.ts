import type { z } from 'zod'
import { countEvents, whatCounts } from '../testing/imbalances.repo'
import type { IngestClient, Upload } from '../testing/ingest-client'
import { until } from '../testing/slow-upload'
import { usageCsv, usageRows } from '../testing/usage-csv'
import { useIngestApi } from '../testing/use-ingest-api'
import { createSegments } from '../segments/create-segments'
import { createUsageCounter } from './count-usage'
import { sweepUploads } from './sweep-uploads'
import { EffectsAnswer, UploadAnswer } from './upload.schema'
import { createLogger } from '@billtrail/platform'

const api = useIngestApi()
const HEADER = 'customer_id,event_type,event_id,event_date,quantity'
const csv = (...lines: string[]) => `${[HEADER, ...lines].join('\n')}\n`

const FIRST = csv('c1,call,e1,2025-10-01T00:00:00Z,4', 'c2,call,e1,2025-10-01T00:00:00Z,1')
const SECOND = csv(
  'c1,call,e1,2025-10-01T00:00:00Z,4.0',
  'c2,call,e1,2025-10-01T00:00:00Z,2',
  'c1,call,e2,2025-10-31T23:59:59Z,7',
  'c1,call,e3,2025-11-01T00:00:00Z,1',
  'c3,call,e1,2025-10-05T00:00:00Z,2',
  'c3,call,e2,2025-10-05T00:00:00Z,two',
)

type Effects = z.output<typeof EffectsAnswer>

async function effects(client: IngestClient, upload: Upload, query = ''): Promise<Effects> {
  const answer = await client.call('GET', `/v1/uploads/${upload.id}/preview?${query}`)
  expect(answer.status).toBe(200)
  return EffectsAnswer.parse(answer.body)
}

async function act(client: IngestClient, upload: Upload, verb: string): Promise<Upload> {
  const answer = await client.call('POST', `/v1/uploads/${upload.id}/${verb}`)
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 })
  return UploadAnswer.parse(answer.body)
}

const countsOf = ({ rows, accepted, duplicates, conflicts, rejected }: Upload) => ({
  rows,
  accepted,
  duplicates,
  conflicts,
  rejected,
})

/** All that can be read of an organization, but for the list of its uploads. */
async function readable(client: IngestClient) {
  const ledger = await client.call('GET', '/v1/ledger')
  return {
    events: await client.events(),
    ledger: ledger.body,
    counts: await whatCounts(api.owner(), client.organizationId),
  }
}

const stagedRows = async (upload: Upload) => {
  const { rows } = await api.owner().query<{ staged: number; effects: number }>(
    `select (select count(*)::int from staged_events s where s.upload_no = u.upload_no) as staged,
            (select count(*)::int from preview_effects p where p.upload_no = u.upload_no) as effects
     from uploads u where id = $1`,
    [upload.id],
  )
  return rows[0]
}

test('a preview shows fates, conflicts, usage and money per customer and month; the commit does just that', async () => {
  const client = await api.addClient()
  await client.upload(FIRST)
  const preview = await client.upload(SECOND, 'mode=preview')
  expect(preview.state).toBe('previewed')
  const fates = { rows: 6, accepted: 3, duplicates: 1, conflicts: 1, rejected: 1 }
  expect(countsOf(preview)).toEqual(fates)
  expect(await client.rejects(preview)).toMatchObject([{ line: 7, reason: 'invalid_quantity' }])
  const conflicts = await client.conflicts(preview)
  expect(conflicts).toMatchObject([
    { line: 3, customer_id: 'c2', stored: { quantity: '1' }, sent: { quantity: '2' } },
  ])
  // The default plan prices all units by their volume: 11 to 20 at 4.00, up to 10 at 5.00.
  const foreseen = (await effects(client, preview)).data
  expect(foreseen).toMatchObject([
    effect('c1', '2025-10', ['4', '11'], ['20.00', '44.00', '24.00']),
    effect('c1', '2025-11', ['0', '1'], ['0.00', '5.00', '5.00']),
    effect('c3', '2025-10', ['0', '2'], ['0.00', '10.00', '10.00']),
  ])

  const committed = await act(client, preview, 'commit')
  expect(committed).toMatchObject({ state: 'committed', ...fates })
  expect(await client.conflicts(committed)).toEqual(conflicts)
  expect((await effects(client, committed)).data).toEqual([])
  const { counts } = await readable(client)
  for (const { customer_id, period, quantity_after } of foreseen) {
    expect(counts).toMatchObject({
      usage: expect.arrayContaining([
        expect.objectContaining({ id: customer_id, period, quantity: quantity_after }),
      ]) as unknown,
    })
  }
  expect(await stagedRows(preview)).toEqual({ staged: 0, effects: 0 })
})

const effect = (
  customer_id: string,
  period: string,
  [quantity_before, quantity_after]: [string, string],
  [amount_before, amount_after, amount_change]: [string, string, string],
) => ({
  customer_id,
  period,
  currency: 'USD',
  quantity_before,
  quantity_after,
  amount_before,
  amount_after,
  amount_change,
})

test('a preview has no effect on anything that can be read, and neither has forgetting it', async () => {
  const client = await api.addClient()
  await client.upload(FIRST)
  const before = await readable(client)
  const preview = await client.upload(SECOND, 'mode=preview')
  expect(await readable(client)).toEqual(before)

  const forgotten = await act(client, preview, 'discard')
  expect(forgotten.state).toBe('reverted')
  expect(await readable(client)).toEqual(before)
  expect(await stagedRows(preview)).toEqual({ staged: 0, effects: 0 })
  expect(await act(client, preview, 'discard')).toEqual(forgotten)
  expect((await client.call('POST', `/v1/uploads/${preview.id}/commit`)).body).toMatchObject({
    status: 409,
    code: 'upload_not_previewed',
  })
  // The same file can be sent again at once.
  expect(await client.upload(SECOND)).toMatchObject({ accepted: 3, duplicates: 1, conflicts: 1 })
})

test('a commit counts anew when other uploads came between', async () => {
  const client = await api.addClient()
  const preview = await client.upload(SECOND, 'mode=preview')
  expect(countsOf(preview)).toMatchObject({ accepted: 5, duplicates: 0, conflicts: 0 })
  await client.upload(FIRST)
  await client.postEvents([
    {
      customer_id: 'c3',
      event_type: 'call',
      event_id: 'e1',
      event_date: '2025-10-05',
      quantity: '2',
    },
  ])
  const committed = await act(client, preview, 'commit')
  expect(countsOf(committed)).toEqual({
    rows: 6,
    accepted: 2,
    duplicates: 2,
    conflicts: 1,
    rejected: 1,
  })
  expect(await act(client, preview, 'commit')).toEqual(committed)
  expect(await countEvents(api.owner(), client.organizationId)).toBe(5)
})

test('two commits of a preview at once, and a discard beside them, have one outcome', async () => {
  const client = await api.addClient()
  const preview = await client.upload(usageCsv(usageRows(2_000, 'both')), 'mode=preview')
  const path = (verb: string) => `/v1/uploads/${preview.id}/${verb}`
  const answers = await Promise.all([
    client.call('POST', path('commit')),
    client.call('POST', path('discard')),
    client.call('POST', path('commit')),
  ])
  const { state } = (await client.uploads())[0]!
  expect(answers.map((answer) => answer.status)).toEqual(
    state === 'committed' ? [200, 409, 200] : [409, 200, 409],
  )
  expect(await countEvents(api.owner(), client.organizationId)).toBe(
    state === 'committed' ? 2_000 : 0,
  )
})

test('the effects are paged by customer and month', async () => {
  const client = await api.addClient()
  const lines = Array.from(
    { length: 25 },
    (_line, at) => `c${at % 5},call,e${at},2025-${String(1 + (at % 10)).padStart(2, '0')}-01,1`,
  )
  const preview = await client.upload(csv(...lines), 'mode=preview')
  const whole = await effects(client, preview)
  expect(whole).toMatchObject({ next_cursor: null })
  expect(whole.data).toHaveLength(10)
  const paged: Effects['data'] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: Effects = await effects(
      client,
      preview,
      `limit=3${cursor === '' ? '' : `&cursor=${cursor}`}`,
    )
    expect(page.data.length).toBeLessThanOrEqual(3)
    paged.push(...page.data)
    cursor = page.next_cursor
  }
  expect(paged).toEqual(whole.data)
})

test('a preview is forgotten after 24 hours, not before', async () => {
  const client = await api.addClient()
  const [old, recent] = [
    await client.upload(FIRST, 'mode=preview'),
    await client.upload(SECOND, 'mode=preview'),
  ]
  const sql = api.owner()
  const age = (upload: Upload, interval: string) =>
    sql.query(`update uploads set completed_at = now() - $2::interval where id = $1`, [
      upload.id,
      interval,
    ])
  await age(old, '24 hours 1 second')
  await age(recent, '23 hours 59 minutes')
  const logger = createLogger({ service: 'ingest-api', level: 'silent' })
  const counter = createUsageCounter({ uploadPool: sql, logger })
  const segments = createSegments({ pool: sql, logger })
  const stop = sweepUploads({ pool: sql, uploadPool: sql, segments, counter, logger })
  const state = async (upload: Upload) =>
    (await client.uploads()).find(({ id }) => id === upload.id)!.state
  await until(async () => (await state(old)) === 'reverted' || undefined)
  stop()
  counter.stop()
  expect(await stagedRows(old)).toEqual({ staged: 0, effects: 0 })
  expect(await state(recent)).toBe('previewed')
  expect(await act(client, recent, 'commit')).toMatchObject({ accepted: 5 })
})

test('another organization sees no preview and cannot make it count', async () => {
  const [client, other] = [await api.addClient(), await api.addClient()]
  const preview = await client.upload(FIRST, 'mode=preview')
  const calls = [
    ['GET', 'preview'],
    ['POST', 'commit'],
    ['POST', 'discard'],
    ['POST', 'revert'],
  ] as const
  for (const [method, verb] of calls) {
    const answer = await other.call(method, `/v1/uploads/${preview.id}/${verb}`)
    expect([verb, answer.status]).toEqual([verb, 404])
  }
})
