import { setTimeout as delay } from 'node:timers/promises'
import { useTestDatabase } from '@billtrail/embedded/testing'
import { countEvents, imbalances, isAllCounted } from '../testing/imbalances.repo'
import { addOrganization, clientOf, type IngestClient, type Upload } from '../testing/ingest-client'
import { createIngestProcess, type IngestProcess } from '../testing/ingest-process'
import { openSlowUpload, until } from '../testing/slow-upload'
import { type UsageRow, usageCsv, usageRows } from '../testing/usage-csv'
import { UploadAnswer } from './upload.schema'

const database = useTestDatabase()

/** A run is told again with `KILL_SEED=… npx jest killed`; its moments are then the same to the millisecond or so. */
const SEED = Number(process.env['KILL_SEED'] ?? Math.floor(Math.random() * 2 ** 31))
const KILLS = 20
/** More than fit into one batch; each file shares half of its rows with the one before it. */
const FILE_ROWS = 18_000
const NEW_ROWS = FILE_ROWS / 2
const SLOWEST_MS = 600
const ALL_ROWS = usageRows(NEW_ROWS * (KILLS + 1), 'killed')

/** What the process is busy with when it is killed, and the state that its answer, if it came, has promised. */
const WORKS = {
  'a file half sent': 'failed',
  'a file stored as it comes': 'committed',
  'a file collected and then stored': 'committed',
  'a preview': 'previewed',
  'an upload answered early': 'committed',
  'a preview being committed': 'committed',
  'an upload being reverted': 'reverted',
} as const
type Work = keyof typeof WORKS

interface Round {
  readonly work: Work
  readonly killAfterMs: number
  /** How much of the file is sent, where it is not the whole. */
  readonly part: number
}

/** The same rounds for the same seed. */
function plan(seed: number): Round[] {
  let state = seed
  const random = () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
  const works = Object.keys(WORKS) as Work[]
  return Array.from({ length: KILLS }, (_round, at) => ({
    work: works[at % works.length]!,
    killAfterMs: Math.floor(random() ** 2 * SLOWEST_MS),
    part: random(),
  }))
}

const rowsOf = (round: number): readonly UsageRow[] =>
  ALL_ROWS.slice(round * NEW_ROWS, round * NEW_ROWS + FILE_ROWS)

/** Brings about what the process is to be killed at; answers with the request to which an answer may come or not. */
async function begin(client: IngestClient, process: IngestProcess, round: Round, at: number) {
  const file = usageCsv(rowsOf(at))
  const act = (upload: Upload, verb: string) => () =>
    client.call('POST', `/v1/uploads/${upload.id}/${verb}`)
  switch (round.work) {
    case 'a file half sent': {
      const slow = openSlowUpload(process.address(), client.key)
      slow.request.on('error', () => undefined)
      await slow.write(file.slice(0, Math.floor(file.length * round.part)))
      return () => new Promise<never>((_resolve, reject) => slow.request.on('error', reject))
    }
    case 'a file stored as it comes':
      return () => client.send(file)
    case 'a file collected and then stored':
      return () => client.send(file, 'event_id=derive')
    case 'a preview':
      return () => client.send(file, 'mode=preview')
    case 'an upload answered early':
      return () => client.send(file, '', { prefer: 'respond-async' })
    case 'a preview being committed':
      return act(await client.upload(file, 'mode=preview'), 'commit')
    case 'an upload being reverted':
      return act(await client.upload(file), 'revert')
  }
}

/** Kills the process at the round's moment; answers with the upload that was acknowledged before, if it was. */
async function killDuring(client: IngestClient, process: IngestProcess, round: Round, at: number) {
  const send = await begin(client, process, round, at)
  const answered = send().then(
    ({ status, body }) => {
      expect(status).toBeGreaterThanOrEqual(200)
      expect(status).toBeLessThan(300)
      return UploadAnswer.parse(body)
    },
    () => undefined,
  )
  await delay(round.killAfterMs)
  await process.kill()
  return answered
}

/** Every upload once it is over, previews included. */
const settled = (client: IngestClient) =>
  until(async () => {
    const uploads = await client.uploads()
    return uploads.every(({ state }) => state !== 'processing') ? uploads : undefined
  })

test(`kill -9, ${KILLS} times, at any moment of any work on an upload (seed ${SEED}): nothing is lost, doubled or half there`, async () => {
  const rounds = plan(SEED)
  const caller = await addOrganization(database.pool(), 'killed')
  const processes = [0, 1].map(() => createIngestProcess(() => database.url()))
  const promised = new Map<string, string>()
  try {
    await processes[0]!.start()
    for (const [at, round] of rounds.entries()) {
      const [current, next] = [processes[at % 2]!, processes[(at + 1) % 2]!]
      const client = clientOf(() => current.address(), caller)
      const [acknowledged] = await Promise.all([
        killDuring(client, current, round, at),
        next.start(),
      ])
      if (acknowledged) promised.set(acknowledged.id, WORKS[round.work])
    }
    const last = processes[KILLS % 2]!
    await checkWhatIsLeft(
      clientOf(() => last.address(), caller),
      promised,
    )
  } finally {
    await Promise.all(processes.map((process) => process.kill()))
  }
}, 90_000)

async function checkWhatIsLeft(client: IngestClient, promised: ReadonlyMap<string, string>) {
  const sql = database.pool()
  const uploads = await settled(client)
  expect(await imbalances(sql)).toEqual([])
  for (const { id, state, failure } of uploads) {
    if (promised.has(id)) expect([id, state]).toEqual([id, promised.get(id)])
    if (state === 'failed') expect(failure?.code).toBe('interrupted')
  }
  const ledger = await client.call('GET', '/v1/ledger')
  expect(ledger.body).toMatchObject({ balanced: true })

  // Which rows count is told by the uploads that say that they are committed, and by nothing else.
  const brought = await countEvents(sql, client.organizationId)
  const committed = uploads.filter(({ state }) => state === 'committed')
  expect(committed.reduce((sum, upload) => sum + upload.accepted, 0)).toBe(brought)
  const again = await client.upload(usageCsv(ALL_ROWS))
  expect(again).toMatchObject({
    rows: ALL_ROWS.length,
    accepted: ALL_ROWS.length - brought,
    duplicates: brought,
  })
  await until(async () => (await isAllCounted(sql)) || undefined)
  expect(await imbalances(sql)).toEqual([])
}

test('an upload that was answered early goes on after kill -9, and can be followed to its end', async () => {
  const process = createIngestProcess(() => database.url())
  const client = clientOf(
    () => process.address(),
    await addOrganization(database.pool(), 'answered-early'),
  )
  try {
    await process.start()
    const rows = usageRows(FILE_ROWS, 'early')
    const answer = await client.send(usageCsv(rows), '', { prefer: 'respond-async' })
    expect(answer.status).toBe(202)
    await process.kill()
    await process.start()
    const [upload] = await settled(client)
    expect(upload).toMatchObject({ state: 'committed', rows: FILE_ROWS, accepted: FILE_ROWS })
    expect(await countEvents(database.pool(), client.organizationId)).toBe(FILE_ROWS)
    await until(async () => (await isAllCounted(database.pool())) || undefined)
    expect(await imbalances(database.pool())).toEqual([])
  } finally {
    await process.kill()
  }
}, 60_000)
