import type { Writable } from 'node:stream'
import type { Sql } from '@billtrail/platform'
import { type ConflictRow, listConflicts } from './conflicts.repo'
import { type EffectRow, listEffects } from './preview.repo'
import { listRejects, type RejectRow } from './rejects.repo'
import { findUpload, listUploads, type UploadRow } from './uploads.repo'
import { writeRejectsCsv } from './write-rejects-csv'

interface LinePage {
  readonly limit: number
  readonly after: number | undefined
}

export function showUploads(
  sql: Sql,
  organizationId: string,
  query: {
    limit: number
    below: number | undefined
    state?: string | undefined
    filename?: string | undefined
    sha256?: string | undefined
    start_date?: string | undefined
    end_date?: string | undefined
  },
): Promise<UploadRow[]> {
  return listUploads(sql, organizationId, {
    limit: query.limit,
    below: query.below,
    filter: {
      state: query.state,
      filename: query.filename,
      sha256: query.sha256,
      startedFrom: query.start_date,
      startedBefore: query.end_date,
    },
  })
}

/** Throws `upload_not_found`. */
export const showUpload = (sql: Sql, organizationId: string, id: string): Promise<UploadRow> =>
  findUpload(sql, organizationId, id)

export const rejectsOf = (sql: Sql, upload: UploadRow, page: LinePage): Promise<RejectRow[]> =>
  listRejects(sql, upload.upload_no, page)

export const conflictsOf = (sql: Sql, upload: UploadRow, page: LinePage): Promise<ConflictRow[]> =>
  listConflicts(sql, upload.upload_no, {
    ...page,
    from: upload.state === 'previewed' ? 'staged' : 'claimed',
  })

export const effectsOf = (
  sql: Sql,
  upload: UploadRow,
  page: { limit: number; after: readonly [number, string, string] | undefined },
): Promise<EffectRow[]> => listEffects(sql, upload.upload_no, page)

export const streamRejects = (sql: Sql, upload: UploadRow, out: Writable): Promise<void> =>
  writeRejectsCsv(sql, upload, out)
