import { holdOffClaims, withPatience, writeAudit } from '@billtrail/db'
import { DomainError } from '@billtrail/domain'
import { type Caller, inTransaction } from '@billtrail/platform'
import type { Pool, PoolClient } from 'pg'
import { waitForStoring } from '../storing/store.repo'
import { findConflict, isStoredLine, swapConflict } from '../storing/swap-conflict.repo'
import { findStoredEvent } from './conflicts.repo'
import { findUpload, type UploadRow } from './uploads.repo'

const noConflict = (line: number): DomainError =>
  new DomainError(
    'not_found',
    'conflict_not_found',
    `Line ${line} of this upload is not in conflict.`,
  )

/**
 * Takes the value of a conflicting row as a correction: it counts from now on, and the value that was stored becomes
 * a conflict of the upload it came from. Called again, it answers the same. Throws `conflict_not_found`.
 */
export async function acceptConflict(
  uploadPool: Pool,
  caller: Caller,
  conflict: { uploadId: string; line: number },
): Promise<UploadRow> {
  return withPatience(() =>
    inTransaction(uploadPool, (client) => acceptWithin(client, caller, conflict)),
  )
}

async function acceptWithin(
  client: PoolClient,
  caller: Caller,
  { uploadId, line }: { uploadId: string; line: number },
): Promise<UploadRow> {
  const { organizationId } = caller
  await waitForStoring(client, organizationId)
  await holdOffClaims(client)
  const upload = await findUpload(client, organizationId, uploadId)
  const found = await findConflict(client, upload.upload_no, line)
  if (!found) {
    if (await isStoredLine(client, upload.upload_no, line)) return upload
    throw noConflict(line)
  }
  const before = await findStoredEvent(client, found)
  await swapConflict(client, { ...found, organizationId, uploadNo: upload.upload_no, line })
  await writeAudit(client, {
    organizationId,
    actor: caller.keyId,
    action: 'conflict.accepted',
    objectType: 'upload',
    objectId: uploadId,
    before,
    after: { line, ...(await findStoredEvent(client, found)) },
  })
  return findUpload(client, organizationId, uploadId)
}
