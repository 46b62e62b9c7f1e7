import type { Sql } from '@billtrail/platform'

export interface FileTotals {
  /** Plain decimal text. */
  readonly quantity: string
  /** By currency, with its places. */
  readonly amounts: Readonly<Record<string, string>>
}

export interface BillableFile {
  readonly id: string
  readonly bucket: string
  readonly key: string
  /** null: all time. */
  readonly period: string | null
  readonly billingRunId: string
  /** Hexadecimal. */
  readonly sha256: string
  readonly bytes: number
  readonly rows: number
  readonly totals: FileTotals
  readonly createdAt: string
}

interface Row {
  id: string
  bucket: string
  key: string
  period: string | null
  billing_run_id: string
  sha256: string
  bytes: string
  rows: number
  totals: FileTotals
  created_at: string
}

const COLUMNS = `
  id, bucket, key, period, billing_run_id, encode(sha256, 'hex') as sha256, bytes, rows, totals,
  to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created_at`

const toFile = (row: Row): BillableFile => ({
  id: row.id,
  bucket: row.bucket,
  key: row.key,
  period: row.period,
  billingRunId: row.billing_run_id,
  sha256: row.sha256,
  bytes: Number(row.bytes),
  rows: row.rows,
  totals: row.totals,
  createdAt: row.created_at,
})

export async function insertFile(
  sql: Sql,
  file: Omit<BillableFile, 'id' | 'createdAt'> & { organizationId: string },
): Promise<void> {
  await sql.query(
    `insert into billable_files (organization_id, billing_run_id, bucket, key, period, sha256, bytes, rows, totals, created_at)
     values ($1, $2, $3, $4, $5, decode($6, 'hex'), $7, $8, $9, clock_timestamp())`,
    [
      file.organizationId,
      file.billingRunId,
      file.bucket,
      file.key,
      file.period,
      file.sha256,
      file.bytes,
      file.rows,
      JSON.stringify(file.totals),
    ],
  )
}

/** What should lie under each of the organization's keys now: the newest row of each. */
export async function findCurrentFiles(
  sql: Sql,
  scope: { organizationId: string; bucket: string; keyPrefix: string },
): Promise<BillableFile[]> {
  const { rows } = await sql.query<Row & Record<string, unknown>>(
    `select distinct on (key) ${COLUMNS}
     from billable_files
     where organization_id = $1 and bucket = $2 and starts_with(key, $3)
     order by key, billable_files.created_at desc`,
    [scope.organizationId, scope.bucket, scope.keyPrefix],
  )
  return rows.map(toFile)
}

export async function findFile(
  sql: Sql,
  key: { organizationId: string; id: string },
): Promise<BillableFile | undefined> {
  const { rows } = await sql.query<Row & Record<string, unknown>>(
    `select ${COLUMNS} from billable_files where organization_id = $1 and id = $2`,
    [key.organizationId, key.id],
  )
  return rows[0] && toFile(rows[0])
}

/** The newest first. */
export async function listFiles(
  sql: Sql,
  page: {
    organizationId: string
    period: string | undefined
    limit: number
    after: readonly [createdAt: string, id: string] | undefined
  },
): Promise<BillableFile[]> {
  const { rows } = await sql.query<Row & Record<string, unknown>>(
    `select ${COLUMNS} from billable_files
     where organization_id = $1 and ($2::text is null or period = $2)
       and ($3::timestamptz is null or (billable_files.created_at, id) < ($3, $4::uuid))
     order by billable_files.created_at desc, id desc limit $5`,
    [page.organizationId, page.period, page.after?.[0], page.after?.[1], page.limit],
  )
  return rows.map(toFile)
}

export interface ChangedPeriod {
  readonly period: string
  /** Compared as text: exact to the microsecond. */
  readonly changedAt: string
}

/** Months whose file may be out of date. */
export async function findChangedPeriods(
  sql: Sql,
  organizationId: string,
): Promise<ChangedPeriod[]> {
  const { rows } = await sql.query<{ period: string; changed_at: string }>(
    `select period, changed_at::text from billable_changes where organization_id = $1 order by period`,
    [organizationId],
  )
  return rows.map((row) => ({ period: row.period, changedAt: row.changed_at }))
}

/** Takes note that these are written; a month that changed again meanwhile stays. */
export async function removeChangedPeriods(
  sql: Sql,
  organizationId: string,
  changes: readonly ChangedPeriod[],
): Promise<void> {
  await sql.query(
    `delete from billable_changes d
     using unnest($2::text[], $3::timestamptz[]) as w (period, changed_at)
     where d.organization_id = $1 and d.period = w.period and d.changed_at = w.changed_at`,
    [
      organizationId,
      changes.map((change) => change.period),
      changes.map((change) => change.changedAt),
    ],
  )
}

/** Months with bills, and whether a draft of the month is still open. Steps from month to month through the index. */
export async function findBilledPeriods(
  sql: Sql,
  organizationId: string,
): Promise<{ period: string; open: boolean }[]> {
  const { rows } = await sql.query<{ period: string; open: boolean }>(
    `with recursive months as (
       (select period from bills where organization_id = $1 order by period limit 1)
       union all
       select (select b.period from bills b where b.organization_id = $1 and b.period > m.period
               order by b.period limit 1)
       from months m where m.period is not null
     )
     select period, exists (
       select from invoices i where i.organization_id = $1 and i.period = months.period and i.status = 'draft'
     ) as open
     from months where period is not null`,
    [organizationId],
  )
  return rows
}
