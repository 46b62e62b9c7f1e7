import { withPatience, writeAudit } from '@billtrail/db'
import { DomainError } from '@billtrail/domain'
import { type Caller, inTransaction } from '@billtrail/platform'
import type { Pool, PoolClient } from 'pg'
import { waitForStoring } from '../storing/store.repo'
import { withdrawEvents } from '../storing/withdraw.repo'
import { lockUpload, setReverted, type UploadRow } from './uploads.repo'

/** Throws `upload_not_committed` where there is nothing to withdraw. */
const notCommitted = (upload: UploadRow): DomainError =>
  new DomainError(
    'conflict',
    'upload_not_committed',
    `The upload is ${upload.state}; only a committed one can be reverted.`,
  )

/**
 * Withdraws a committed upload: its events, their usage, and with the next cycle what was billed for them. Its
 * counts stay as a record. Called again, it answers the same. Throws `upload_not_found`, `upload_not_committed`.
 */
export async function revertUpload(
  uploadPool: Pool,
  caller: Caller,
  id: string,
): Promise<UploadRow> {
  return withPatience(() => inTransaction(uploadPool, (client) => revertWithin(client, caller, id)))
}

async function revertWithin(client: PoolClient, caller: Caller, id: string): Promise<UploadRow> {
  const { organizationId } = caller
  // Before the upload's row: whoever stores or withdraws may change the counts of others' rows.
  await waitForStoring(client, organizationId)
  const upload = await lockUpload(client, organizationId, id)
  if (upload.state === 'reverted') return upload
  if (upload.state !== 'committed') throw notCommitted(upload)
  await withdrawEvents(client, organizationId, upload.upload_no)
  const reverted = await setReverted(client, upload.upload_no)
  await writeAudit(client, {
    organizationId,
    actor: caller.keyId,
    action: 'upload.reverted',
    objectType: 'upload',
    objectId: id,
    before: { state: 'committed' },
    after: { state: 'reverted', accepted: Number(upload.accepted) },
  })
  return reverted
}
