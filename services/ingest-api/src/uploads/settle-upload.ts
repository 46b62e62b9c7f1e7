import type { Pool, PoolClient } from 'pg'
import type { Segments } from '../segments/create-segments'
import { countUploadUsage } from '../storing/count-usage.repo'
import { mergeIncoming } from '../storing/merge.repo'
import {
  dropStaged,
  type Fates,
  loadStaged,
  makeMerging,
  nameDerivedRows,
  waitForStoring,
} from '../storing/store.repo'
import { weighUpload } from './weigh-upload'
import { deleteEffects, insertEffects } from './preview.repo'
import { setCommitted, setPreviewed, type UploadRow } from './uploads.repo'

interface SettleDeps {
  readonly pool: Pool
  readonly segments: Segments
}

/** Brings an upload whose rows are all staged to its end: `previewed`, or `committed`. May be run again. */
export function settleUpload(
  deps: SettleDeps,
  client: PoolClient,
  upload: UploadRow,
): Promise<UploadRow> {
  return upload.options.preview === true
    ? previewStaged(deps, client, upload)
    : commitStaged(deps.segments, client, upload)
}

/** Merges the staged rows into events; the caller's transaction decides what stays. */
async function mergeStaged(
  segments: Segments,
  client: PoolClient,
  upload: UploadRow,
): Promise<Fates> {
  await waitForStoring(client, upload.organization_id)
  await makeMerging(client)
  await loadStaged(client, upload.upload_no)
  if (upload.options.deriveIds === true) await nameDerivedRows(client)
  const { table } = await segments.enter(client, upload.organization_id)
  return mergeIncoming(client, table)
}

/** Makes staged rows count, in one transaction. Fates are taken anew: other uploads may have come between. */
async function commitStaged(
  segments: Segments,
  client: PoolClient,
  upload: UploadRow,
): Promise<UploadRow> {
  await client.query('begin')
  const committed = await commitStagedWithin(segments, client, upload)
  await client.query('commit')
  return committed
}

/** The same inside a transaction that the caller has opened. */
export async function commitStagedWithin(
  segments: Segments,
  client: PoolClient,
  upload: UploadRow,
): Promise<UploadRow> {
  const fates = await mergeStaged(segments, client, upload)
  await segments.leaveIfFull(client, upload.organization_id)
  await dropStaged(client, upload.upload_no)
  await deleteEffects(client, upload.upload_no)
  return setCommitted(client, upload.upload_no, fates)
}

/**
 * Previews by doing: the upload is stored, counted and rated by the very statements that would commit it, what
 * changed is noted, and the transaction is rolled back. A preview can so not differ from what follows it.
 */
async function previewStaged(
  deps: SettleDeps,
  client: PoolClient,
  upload: UploadRow,
): Promise<UploadRow> {
  const { upload_no: uploadNo } = upload
  await deleteEffects(deps.pool, uploadNo)
  await client.query('begin')
  const fates = await mergeStaged(deps.segments, client, upload)
  await countUploadUsage(client, uploadNo)
  // Noted from outside the transaction, whose end takes everything else back.
  for await (const effects of weighUpload({ before: deps.pool, after: client }, upload)) {
    await insertEffects(deps.pool, uploadNo, effects)
  }
  await client.query('rollback')
  return setPreviewed(client, uploadNo, fates)
}
