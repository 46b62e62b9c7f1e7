import type { Pool, PoolClient } from 'pg'
import { countUploadUsage } from '../storing/count-usage.repo'
import {
  dropStaged,
  type Fates,
  loadStaged,
  makeMerging,
  mergeIncoming,
  nameDerivedRows,
  waitForStoring,
} from '../storing/store.repo'
import { weighUpload } from './weigh-upload'
import { deleteEffects, insertEffects } from './preview.repo'
import { setCommitted, setPreviewed, type UploadRow } from './uploads.repo'

/** Brings an upload whose rows are all staged to its end: `previewed`, or `committed`. May be run again. */
export function settleUpload(
  deps: { pool: Pool },
  client: PoolClient,
  upload: UploadRow,
): Promise<UploadRow> {
  return upload.options.preview === true
    ? previewStaged(deps, client, upload)
    : commitStaged(client, upload)
}

/** Merges the staged rows into events; the caller's transaction decides what stays. */
async function mergeStaged(client: PoolClient, upload: UploadRow): Promise<Fates> {
  await waitForStoring(client, upload.organization_id)
  await makeMerging(client)
  await loadStaged(client, upload.upload_no)
  if (upload.options.deriveIds === true) await nameDerivedRows(client)
  return mergeIncoming(client)
}

/** Makes staged rows count, in one transaction. Fates are taken anew: other uploads may have come between. */
async function commitStaged(client: PoolClient, upload: UploadRow): Promise<UploadRow> {
  await client.query('begin')
  const committed = await commitStagedWithin(client, upload)
  await client.query('commit')
  return committed
}

/** The same inside a transaction that the caller has opened. */
export async function commitStagedWithin(
  client: PoolClient,
  upload: UploadRow,
): Promise<UploadRow> {
  const fates = await mergeStaged(client, upload)
  await dropStaged(client, upload.upload_no)
  await deleteEffects(client, upload.upload_no)
  return setCommitted(client, upload.upload_no, fates)
}

/**
 * Previews by doing: the upload is stored, counted and rated by the very statements that would commit it, what
 * changed is noted, and the transaction is rolled back. A preview can so not differ from what follows it.
 */
async function previewStaged(
  deps: { pool: Pool },
  client: PoolClient,
  upload: UploadRow,
): Promise<UploadRow> {
  const { upload_no: uploadNo } = upload
  await deleteEffects(deps.pool, uploadNo)
  await client.query('begin')
  const fates = await mergeStaged(client, upload)
  await countUploadUsage(client, uploadNo)
  // Noted from outside the transaction, whose end takes everything else back.
  for await (const effects of weighUpload({ before: deps.pool, after: client }, upload)) {
    await insertEffects(deps.pool, uploadNo, effects)
  }
  await client.query('rollback')
  return setPreviewed(client, uploadNo, fates)
}
