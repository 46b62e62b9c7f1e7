import { PageQuery } from '@billtrail/platform'
import { z } from 'zod'
import { Period } from '../billing-runs/billing-runs.schema'
import type { BillableFile } from './billable-files.repo'

export const FilesQuery = PageQuery.extend({ period: Period.optional() })

export const FileParams = z.object({ id: z.uuid() })

export const BillableFileAnswer = z
  .object({
    id: z.uuid(),
    bucket: z.string(),
    key: z.string(),
    period: z.string().nullable().meta({ description: 'null: all time.' }),
    billing_run_id: z.uuid(),
    sha256: z.string(),
    bytes: z.int(),
    rows: z.int(),
    totals: z.object({ quantity: z.string(), amounts: z.record(z.string(), z.string()) }),
    created_at: z.string(),
  })
  .meta({
    id: 'BillableFile',
    example: {
      id: '6b0f0a0e-6c0e-4b37-9c2b-0d8f6f0f6f0e',
      bucket: 'siua-billable-customers',
      key: 'TeamBees/billable_customers.txt',
      period: '2026-03',
      billing_run_id: '9b3c1a52-52f1-4f0f-8f0b-3a1f5c9d2e77',
      sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      bytes: 74,
      rows: 2,
      totals: { quantity: '20', amounts: { USD: '85.00' } },
      created_at: '2026-03-15T12:00:00.000000Z',
    },
  })

export function billableFileAnswer(file: BillableFile): z.input<typeof BillableFileAnswer> {
  return {
    id: file.id,
    bucket: file.bucket,
    key: file.key,
    period: file.period,
    billing_run_id: file.billingRunId,
    sha256: file.sha256,
    bytes: file.bytes,
    rows: file.rows,
    totals: { quantity: file.totals.quantity, amounts: { ...file.totals.amounts } },
    created_at: file.createdAt,
  }
}
