import { createHash } from 'node:crypto'
import { DomainError } from '@billtrail/domain'
import { decodeCursor, type FileStore, type Page, pageOf, type Sql } from '@billtrail/platform'
import { z } from 'zod'
import { findFile, listFiles, type BillableFile } from './billable-files.repo'

const Cursor = z.tuple([z.string(), z.uuid()])

interface FileKey {
  readonly organizationId: string
  readonly id: string
}

/** One file of the organization. Throws DomainError `billable_file_not_found`. */
export async function getBillableFile(sql: Sql, key: FileKey): Promise<BillableFile> {
  const file = await findFile(sql, key)
  if (!file) {
    const message = `There is no billable file ${key.id}.`
    throw new DomainError('not_found', 'billable_file_not_found', message)
  }
  return file
}

/** A page of what was written, the newest first. */
export async function pageOfBillableFiles<Item>(
  sql: Sql,
  query: {
    organizationId: string
    period: string | undefined
    limit: number
    cursor: string | undefined
  },
  present: (file: BillableFile) => Item,
): Promise<Page<Item>> {
  const files = await listFiles(sql, {
    organizationId: query.organizationId,
    period: query.period,
    limit: query.limit + 1,
    after: decodeCursor(query.cursor, Cursor),
  })
  return pageOf(files, query.limit, present, (file) => [file.createdAt, file.id])
}

/**
 * The bytes that were written, from S3, checked against their sha256. Throws DomainError `billable_file_overwritten` when
 * other content lies under the key by now, `billable_file_missing` when none does (the next cycle puts it back), and
 * `storage_unavailable`.
 */
export async function readFileContent(
  deps: { sql: Sql; files: FileStore },
  key: FileKey,
): Promise<{ file: BillableFile; bytes: Buffer }> {
  const file = await getBillableFile(deps.sql, key)
  const bytes = await deps.files.get(file.key)
  if (bytes === undefined) {
    const message = `${file.key} is not in the bucket ${file.bucket}. The next billing cycle puts the current file back.`
    throw new DomainError('unavailable', 'billable_file_missing', message, [], 60)
  }
  if (createHash('sha256').update(bytes).digest('hex') !== file.sha256) {
    const message = `Another content lies under ${file.key} by now. Ask /v1/billable-files for the newest.`
    throw new DomainError('gone', 'billable_file_overwritten', message)
  }
  return { file, bytes }
}
