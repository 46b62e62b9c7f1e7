import { DomainError } from '@billtrail/domain'
import type { Sql } from '@billtrail/platform'
import type { FileLayout } from '../reading'
import { FAIL_ABANDONED, type Fates } from '../storing/store.repo'

export interface UploadRow {
  readonly id: string
  readonly upload_no: number
  readonly organization_id: string
  readonly filename: string
  readonly sha256: Buffer | null
  readonly bytes: string
  readonly bytes_expected: string | null
  readonly options: {
    readonly header?: string
    readonly delimiter?: string
    readonly preview?: boolean
    readonly deriveIds?: boolean
  }
  readonly state: 'processing' | 'previewed' | 'committed' | 'reverted' | 'failed'
  readonly rows: string
  readonly accepted: string
  readonly duplicates: string
  readonly conflicts: string
  readonly rejected: string
  readonly failure_code: string | null
  readonly failure_message: string | null
  readonly started_at: Date
  readonly completed_at: Date | null
}

const UPLOAD = `id, upload_no, organization_id, filename, sha256, bytes, bytes_expected, options, state,
  rows, accepted, duplicates, conflicts, rejected, failure_code, failure_message, started_at, completed_at`

/** Throws `upload_not_found`, also for another organization's. */
export async function findUpload(sql: Sql, organizationId: string, id: string): Promise<UploadRow> {
  const { rows } = await sql.query<UploadRow>(
    `select ${UPLOAD} from uploads where organization_id = $1 and id = $2`,
    [organizationId, id],
  )
  return found(rows[0], id)
}

export interface UploadFilter {
  readonly state?: string | undefined
  readonly filename?: string | undefined
  readonly sha256?: string | undefined
  readonly startedFrom?: string | undefined
  readonly startedBefore?: string | undefined
}

/** Newest first, `limit + 1` of them, below the upload number of the cursor. */
export async function listUploads(
  sql: Sql,
  organizationId: string,
  page: { limit: number; below: number | undefined; filter: UploadFilter },
): Promise<UploadRow[]> {
  const { filter } = page
  const { rows } = await sql.query<UploadRow>(
    `select ${UPLOAD} from uploads
     where organization_id = $1
       and ($2::int is null or upload_no < $2)
       and ($3::text is null or state = $3)
       and ($4::text is null or filename = $4)
       and ($5::bytea is null or sha256 = $5)
       and ($6::timestamptz is null or started_at >= $6)
       and ($7::timestamptz is null or started_at < $7)
     order by upload_no desc limit $8`,
    [
      organizationId,
      page.below ?? null,
      filter.state ?? null,
      filter.filename ?? null,
      filter.sha256 === undefined ? null : Buffer.from(filter.sha256, 'hex'),
      filter.startedFrom ?? null,
      filter.startedBefore ?? null,
      page.limit + 1,
    ],
  )
  return rows
}

/** Rows and bytes so far, for those who poll. An upload that is over is not touched. */
export async function reportProgress(
  sql: Sql,
  uploadNo: number,
  progress: { rows: number; rejected: number; bytes: number },
): Promise<void> {
  await sql.query(
    `update uploads set rows = $2, rejected = $3, bytes = $4
     where upload_no = $1 and state = 'processing'`,
    [uploadNo, progress.rows, progress.rejected, progress.bytes],
  )
}

/** What reading a file to its end has found. */
interface ReadFile {
  readonly rows: number
  readonly rejected: number
  readonly bytes: number
  readonly sha256: Buffer
  readonly layout: FileLayout
}

const readValues = (file: ReadFile): unknown[] => [
  file.rows,
  file.rejected,
  file.bytes,
  file.sha256,
  JSON.stringify(file.layout),
]

/** The last statement of an upload's transaction. The table refuses it if a row is unaccounted for. */
export async function commitUpload(
  sql: Sql,
  uploadNo: number,
  upload: ReadFile & Fates,
): Promise<UploadRow> {
  return change(
    sql,
    `state = 'committed', completed_at = clock_timestamp(), rows = $2, rejected = $3, bytes = $4,
     sha256 = $5, options = options || $6, accepted = $7, duplicates = $8, conflicts = $9`,
    [uploadNo, ...readValues(upload), upload.accepted, upload.duplicates, upload.conflicts],
  )
}

/** All rows are staged: from here on the upload survives its process. */
export async function setStaged(sql: Sql, uploadNo: number, file: ReadFile): Promise<UploadRow> {
  return change(
    sql,
    `staged_at = clock_timestamp(), rows = $2, rejected = $3, bytes = $4, sha256 = $5, options = options || $6`,
    [uploadNo, ...readValues(file)],
  )
}

export const setCommitted = (sql: Sql, uploadNo: number, fates: Fates): Promise<UploadRow> =>
  change(sql, `state = 'committed', completed_at = clock_timestamp(), ${FATES}`, [
    uploadNo,
    ...Object.values(orderedFates(fates)),
  ])

export const setPreviewed = (sql: Sql, uploadNo: number, fates: Fates): Promise<UploadRow> =>
  change(sql, `state = 'previewed', completed_at = clock_timestamp(), ${FATES}`, [
    uploadNo,
    ...Object.values(orderedFates(fates)),
  ])

/** Nothing of the upload counts any more; what it brought stays on record as its counts. */
export const setReverted = (sql: Sql, uploadNo: number): Promise<UploadRow> =>
  change(sql, `state = 'reverted', completed_at = clock_timestamp()`, [uploadNo])

const FATES = 'accepted = $2, duplicates = $3, conflicts = $4'
const orderedFates = ({ accepted, duplicates, conflicts }: Fates) => ({
  accepted,
  duplicates,
  conflicts,
})

async function change(sql: Sql, assignments: string, values: unknown[]): Promise<UploadRow> {
  const { rows } = await sql.query<UploadRow>(
    `update uploads set ${assignments} where upload_no = $1 returning ${UPLOAD}`,
    values,
  )
  return rows[0]!
}

/** The upload, locked until the transaction ends. Throws `upload_not_found`. */
export async function lockUpload(sql: Sql, organizationId: string, id: string): Promise<UploadRow> {
  const { rows } = await sql.query<UploadRow>(
    `select ${UPLOAD} from uploads where organization_id = $1 and id = $2 for update`,
    [organizationId, id],
  )
  return found(rows[0], id)
}

function found(row: UploadRow | undefined, id: string): UploadRow {
  if (!row) throw new DomainError('not_found', 'upload_not_found', `There is no upload ${id}.`)
  return row
}

/** Uploads whose rows are all staged and which nobody may be working on. */
export async function listStagedUploads(sql: Sql): Promise<UploadRow[]> {
  const { rows } = await sql.query<UploadRow>(
    `select ${UPLOAD} from uploads where state = 'processing' and staged_at is not null
     order by upload_no limit 100`,
  )
  return rows
}

/** Previews older than 24 hours, to be forgotten. */
export async function listExpiredPreviews(sql: Sql): Promise<UploadRow[]> {
  const { rows } = await sql.query<UploadRow>(
    `select ${UPLOAD} from uploads
     where state = 'previewed' and completed_at < now() - interval '24 hours' limit 100`,
  )
  return rows
}

/** Says why an upload failed. Its transaction has been rolled back before; what it had staged until then goes with it. */
export async function failUpload(
  sql: Sql,
  uploadNo: number,
  failure: { code: string; message: string },
): Promise<void> {
  await sql.query(
    `with failed as (
       update uploads set state = 'failed', completed_at = now(), failure_code = $2, failure_message = $3
       where upload_no = $1 and state = 'processing' returning upload_no
     ), staged as (
       delete from staged_events where upload_no in (select upload_no from failed)
     ), effects as (
       delete from preview_effects where upload_no in (select upload_no from failed)
     )
     delete from upload_rejects where upload_no in (select upload_no from failed)`,
    [uploadNo, failure.code, failure.message.slice(0, 1_000)],
  )
}

/** Marks what a killed process left behind as failed; returns the ids. */
export async function failAbandonedUploads(sql: Sql): Promise<string[]> {
  const { rows } = await sql.query<{ id: string }>(FAIL_ABANDONED)
  return rows.map((row) => row.id)
}

/** The zone that dates without an offset are read in. */
export async function organizationZone(sql: Sql, organizationId: string): Promise<string> {
  const { rows } = await sql.query<{ timezone: string }>(
    'select timezone from organizations where id = $1',
    [organizationId],
  )
  return rows[0]!.timezone
}
