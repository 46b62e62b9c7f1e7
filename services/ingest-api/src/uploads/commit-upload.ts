import { withPatience, writeAudit } from '@billtrail/db'
import { DomainError } from '@billtrail/domain'
import { type Caller, inTransaction } from '@billtrail/platform'
import type { Pool, PoolClient } from 'pg'
import type { Segments } from '../segments/create-segments'
import { dropStaged, waitForStoring } from '../storing/store.repo'
import { deleteEffects } from './preview.repo'
import { commitStagedWithin } from './settle-upload'
import { lockUpload, setReverted, type UploadRow } from './uploads.repo'

const notPreviewed = (upload: UploadRow, call: string): DomainError =>
  new DomainError(
    'conflict',
    'upload_not_previewed',
    `The upload is ${upload.state}; only a previewed one can be ${call}.`,
  )

/**
 * Makes a previewed upload real; its fates are taken anew, since others may have come between. Called again, it
 * answers the same. Throws `upload_not_found`, `upload_not_previewed`.
 */
export async function commitPreview(
  deps: { uploadPool: Pool; segments: Segments },
  caller: Caller,
  id: string,
): Promise<UploadRow> {
  return withPatience(() =>
    inTransaction(deps.uploadPool, (client) => commitWithin(deps.segments, client, caller, id)),
  )
}

async function commitWithin(
  segments: Segments,
  client: PoolClient,
  caller: Caller,
  id: string,
): Promise<UploadRow> {
  const { organizationId } = caller
  // Before the upload's row: whoever stores or withdraws may change the counts of others' rows.
  await waitForStoring(client, organizationId)
  const upload = await lockUpload(client, organizationId, id)
  if (upload.state === 'committed') return upload
  if (upload.state !== 'previewed') throw notPreviewed(upload, 'committed')
  const committed = await commitStagedWithin(segments, client, upload)
  await writeAudit(client, {
    organizationId,
    actor: caller.keyId,
    action: 'upload.committed',
    objectType: 'upload',
    objectId: id,
    before: { state: 'previewed' },
    after: { state: 'committed', accepted: Number(committed.accepted) },
  })
  return committed
}

/** Forgets a previewed upload: it never had an effect, and its state is `reverted`. Called again, it answers the same. */
export async function discardPreview(
  uploadPool: Pool,
  organizationId: string,
  id: string,
): Promise<UploadRow> {
  return inTransaction(uploadPool, async (client) => {
    const upload = await lockUpload(client, organizationId, id)
    if (upload.state === 'reverted') return upload
    if (upload.state !== 'previewed') throw notPreviewed(upload, 'discarded')
    await dropStaged(client, upload.upload_no)
    await deleteEffects(client, upload.upload_no)
    return setReverted(client, upload.upload_no)
  })
}
