import type { FileStore, Logger, Sql } from '@billtrail/platform'
import { isMissing } from '@billtrail/platform/file-store'
import type { FileCheck } from '../checks/run-checks'
import type { BilledOrganization } from '../cycle/organizations.repo'
import {
  findBilledPeriods,
  findChangedPeriods,
  findCurrentFiles,
  insertFile,
  removeChangedPeriods,
  type BillableFile,
} from './billable-files.repo'
import { buildFile, type BuiltFile } from './build-file'
import { keyPrefixOf, planFiles, type FileTarget } from './plan-files'

export interface WriteDeps {
  readonly sql: Sql
  readonly files: FileStore
  readonly logger: Logger
  readonly moving: () => void
  /** The run that the files belong to; made when the first file is written. */
  readonly runId: () => Promise<string>
}

export interface WrittenFiles {
  /** New content. */
  readonly written: number
  /** Content that was missing from the bucket, or was not ours, put back. */
  readonly repaired: number
  readonly checks: readonly FileCheck[]
}

const CONTENT_TYPE = 'text/plain; charset=utf-8'
/** Presence is asked for so many files at once. */
const ASKED_AT_ONCE = 8

/**
 * Brings the organization's files in the bucket up to date with its bills: writes what changed, and puts back what is
 * missing or is not what was written. Files come first and their rows in the database after, so nothing is said to
 * be written that is not.
 */
export async function writeBillableFiles(
  deps: WriteDeps,
  organization: BilledOrganization,
  namesChanged: boolean,
): Promise<WrittenFiles> {
  const { sql, files } = deps
  const changes = await findChangedPeriods(sql, organization.id)
  const current = await findCurrentFiles(sql, {
    organizationId: organization.id,
    bucket: files.bucket,
    keyPrefix: keyPrefixOf(organization),
  })
  const targets = planFiles({
    organization,
    current,
    changedPeriods: new Set(changes.map((change) => change.period)),
    billed: await findBilledPeriods(sql, organization.id),
    namesChanged,
  })
  const lying = new Map(current.map((file) => [file.key, file]))
  const lost = await findLost(deps, targets, lying)

  let [written, repaired] = [0, 0]
  const checks: FileCheck[] = []
  for (const target of targets.filter((one) => one.stale || lost.has(one.key))) {
    const file = await buildFile(sql, organization, target)
    const result = await bring(deps, organization, {
      file,
      lies: lying.get(target.key),
      lost: lost.has(target.key),
    })
    deps.moving()
    if (result === 'kept') continue
    checks.push(file.check)
    if (result === 'written') written += 1
    else repaired += 1
  }
  await removeChangedPeriods(sql, organization.id, changes)
  return { written, repaired, checks }
}

/** Keys whose content in the bucket is not what was written last. */
async function findLost(
  deps: WriteDeps,
  targets: readonly FileTarget[],
  lying: ReadonlyMap<string, BillableFile>,
): Promise<ReadonlySet<string>> {
  const lost = new Set<string>()
  for (let at = 0; at < targets.length; at += ASKED_AT_ONCE) {
    const asked = targets.slice(at, at + ASKED_AT_ONCE).map(async ({ key }) => {
      const file = lying.get(key)
      if (file && (await deps.files.digest(key)) !== file.sha256) lost.add(key)
    })
    await Promise.all(asked)
    deps.moving()
  }
  return lost
}

async function bring(
  deps: WriteDeps,
  organization: BilledOrganization,
  { file, lies, lost }: { file: BuiltFile; lies: BillableFile | undefined; lost: boolean },
): Promise<'kept' | 'written' | 'repaired'> {
  // A month never billed has no file; it needs none to say so.
  if (lies === undefined && file.rows === 0) return 'kept'
  const same = lies?.sha256 === file.sha256 && lies.period === file.target.period
  if (same && !lost) return 'kept'
  const billingRunId = await deps.runId()
  await putRepairing(deps, file)
  // A field called `key` would be blacked out in the log, as if it were a secret.
  const about = { object: file.target.key, rows: file.rows, sha256: file.sha256 }
  if (lost) deps.logger.warn(about, 'a billable file was missing or not ours; it is written again')
  if (same) return 'repaired'
  await insertFile(deps.sql, {
    organizationId: organization.id,
    billingRunId,
    bucket: deps.files.bucket,
    key: file.target.key,
    period: file.target.period,
    sha256: file.sha256,
    bytes: file.bytes.length,
    rows: file.rows,
    totals: file.totals,
  })
  deps.logger.info(about, 'billable file written')
  return 'written'
}

/** The bucket may vanish any time (an S3 server restarted without its data): make it, then write. */
async function putRepairing(deps: WriteDeps, file: BuiltFile): Promise<void> {
  const put = () => deps.files.put(file.target.key, file.bytes, CONTENT_TYPE)
  try {
    await put()
  } catch (error) {
    if (!isMissing(error)) throw error
    deps.logger.warn({ bucket: deps.files.bucket }, 'the bucket is missing; it is made')
    await deps.files.ensureBucket()
    await put()
  }
}
