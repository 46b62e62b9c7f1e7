import { decimal, moneyText, toPlain } from '@billtrail/domain'
import type { z } from 'zod'
import type { ConflictRow } from './conflicts.repo'
import type { EffectRow } from './preview.repo'
import type { RejectRow } from './rejects.repo'
import type { ConflictsAnswer, EffectsAnswer, RejectsAnswer, UploadAnswer } from './upload.schema'
import type { UploadRow } from './uploads.repo'

export function presentUpload(row: UploadRow): z.output<typeof UploadAnswer> {
  const rows = Number(row.rows)
  const bytes = Number(row.bytes)
  const expected = row.bytes_expected === null ? null : Number(row.bytes_expected)
  return {
    id: row.id,
    filename: row.filename,
    sha256: row.sha256?.toString('hex') ?? null,
    bytes,
    state: row.state,
    rows,
    accepted: Number(row.accepted),
    duplicates: Number(row.duplicates),
    conflicts: Number(row.conflicts),
    rejected: Number(row.rejected),
    started_at: row.started_at.toISOString(),
    completed_at: row.completed_at?.toISOString() ?? null,
    ...(row.state === 'processing' ? { progress: { rows, bytes, bytes_expected: expected } } : {}),
    ...(row.failure_code === null
      ? {}
      : { failure: { code: row.failure_code, message: row.failure_message ?? '' } }),
  }
}

export function presentReject(row: RejectRow): z.output<typeof RejectsAnswer>['data'][number] {
  return {
    line: row.line,
    column: row.column_name,
    reason: row.reason,
    message: row.message,
    // Bytes that are not text show as U+FFFD here; the CSV answer gives them back untouched.
    row: row.row.toString('utf8'),
  }
}

export function presentConflict(
  row: ConflictRow,
): z.output<typeof ConflictsAnswer>['data'][number] {
  return {
    line: row.line,
    customer_id: row.customer_id,
    event_id: row.event_id,
    stored: { ...row.stored, upload_id: row.stored_upload_id, line: row.stored_line },
    sent: row.sent,
  }
}

export function presentEffect(row: EffectRow): z.output<typeof EffectsAnswer>['data'][number] {
  const before = decimal(row.amount_before)
  const after = decimal(row.amount_after)
  return {
    customer_id: row.customer_id,
    name: row.name,
    period: row.period,
    currency: row.currency,
    quantity_before: toPlain(decimal(row.quantity_before)),
    quantity_after: toPlain(decimal(row.quantity_after)),
    amount_before: moneyText(before, row.currency),
    amount_after: moneyText(after, row.currency),
    amount_change: moneyText(after.minus(before), row.currency),
  }
}
