import type { Sql } from '@billtrail/platform'
import type { RejectedRow } from '../reading'

export interface RejectRow {
  readonly line: number
  readonly column_name: string | null
  readonly reason: string
  readonly message: string
  readonly row: Buffer
}

export async function insertRejects(
  sql: Sql,
  uploadNo: number,
  rejects: readonly RejectedRow[],
): Promise<void> {
  if (rejects.length === 0) return
  await sql.query(
    `insert into upload_rejects (upload_no, line, column_name, reason, message, row)
     select $1, * from unnest($2::int[], $3::text[], $4::text[], $5::text[], $6::bytea[])`,
    [
      uploadNo,
      rejects.map((reject) => reject.line),
      rejects.map((reject) => reject.column),
      rejects.map((reject) => reject.reason),
      rejects.map((reject) => reject.message),
      rejects.map((reject) => reject.raw),
    ],
  )
}

/** In file order, `limit + 1` of them, from behind the line of the cursor. */
export async function listRejects(
  sql: Sql,
  uploadNo: number,
  page: { limit: number; after: number | undefined },
): Promise<RejectRow[]> {
  const { rows } = await sql.query<RejectRow>(
    `select line, column_name, reason, message, row from upload_rejects
     where upload_no = $1 and line > $2 order by line limit $3`,
    [uploadNo, page.after ?? 0, page.limit + 1],
  )
  return rows
}
