import { invalidFields, toMeter } from '@billtrail/contracts'
import { writeAudit } from '@billtrail/db'
import { DomainError, type FieldError, type Meter } from '@billtrail/domain'
import { type Caller, type Sql, sqlState } from '@billtrail/platform'
import { inSequelizeTransaction, sequelizeSql } from '@billtrail/platform/sequelize'
import type { Transaction } from 'sequelize'
import type { CatalogueDeps } from '../catalogue-deps'
import { frozenMeters, insertMeter, updateMeter } from '../meters/meters.repo'
import { contentOf, wholeContent } from '../meters/present-meter'
import { activateVersion, retireVersion } from '../plans/change-version-state'
import { checkVersion } from '../plans/check-version'
import { addPlan, makeDefault, renamePlan } from '../plans/manage-plans'
import { changeDraft } from '../plans/manage-versions'
import { planNotFound } from '../plans/plan-faults'
import { findVersion, insertVersion, lockPlan } from '../plans/plans.repo'
import type {
  CatalogueChangeJson,
  CatalogueJson,
  FilePlanJson,
  FileVersionJson,
} from './catalogue-file.schema'
import { compareCatalogues } from './compare-catalogues'
import { catalogueOf, readCatalogue } from './read-catalogue'

const UNIQUE_VIOLATION = '23505'

interface Work {
  readonly deps: CatalogueDeps
  readonly sql: Sql
  readonly transaction: Transaction
  readonly caller: Caller
  readonly wanted: CatalogueJson
}

/** Ends a trial: everything was done, and nothing is kept. */
class TrialOver extends Error {}

/** The organization's whole catalogue, as a file. */
export async function getCatalogue(deps: CatalogueDeps, caller: Caller): Promise<CatalogueJson> {
  return inSequelizeTransaction(deps.sequelize, async (transaction) => {
    const sql = sequelizeSql(deps.sequelize, transaction)
    const { organizationId } = caller
    return catalogueOf(await readCatalogue(deps, { sql, transaction, organizationId }))
  })
}

/**
 * Makes the catalogue as the file says, all of it or nothing; what the file does not name stays as it is. A dry run does the
 * same and keeps nothing, so it fails where the real one would.
 *
 * Throws DomainError `invalid_catalogue` (with every fault by its path), `catalogue_conflict` (what is in use never
 * changes), `plan_not_found`, `plan_not_active` (of the default plan), `default_plan_needs_version`.
 */
export async function putCatalogue(
  deps: CatalogueDeps,
  caller: Caller,
  { file, dryRun }: { file: CatalogueJson; dryRun: boolean },
): Promise<readonly CatalogueChangeJson[]> {
  let changes: readonly CatalogueChangeJson[] = []
  try {
    await inSequelizeTransaction(deps.sequelize, async (transaction) => {
      const sql = sequelizeSql(deps.sequelize, transaction)
      await sql.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [
        `catalogue ${caller.organizationId}`,
      ])
      changes = await apply({ deps, sql, transaction, caller, wanted: file })
      if (dryRun) throw new TrialOver()
    })
  } catch (error) {
    if (sqlState(error) === UNIQUE_VIOLATION) throw changedMeanwhile()
    if (!(error instanceof TrialOver)) throw error
  }
  return changes
}

async function apply(work: Work): Promise<readonly CatalogueChangeJson[]> {
  const { deps, sql, transaction, caller } = work
  const { organizationId } = caller
  const stored = catalogueOf(await readCatalogue(deps, { sql, transaction, organizationId }))
  const wanted = withChargeIds(stored, work.wanted)
  const { changes, conflicts } = compareCatalogues(
    { catalogue: stored, frozenMeters: await frozenMeters(sql, organizationId) },
    wanted,
  )
  if (conflicts.length > 0) throw catalogueConflict(conflicts)
  for (const change of changes) await make({ ...work, wanted }, change)
  if (changes.length > 0) {
    await writeAudit(sql, {
      organizationId,
      actor: `key:${caller.keyId}`,
      action: 'catalogue.put',
      objectType: 'organization',
      objectId: organizationId,
      before: null,
      after: { changes },
    })
  }
  return changes
}

/** Checks every version of the file with the meters as they will be, and gives every charge its id. */
function withChargeIds(stored: CatalogueJson, file: CatalogueJson): CatalogueJson {
  const meters = new Map<string, Meter>()
  for (const meter of [...(stored.meters ?? []), ...(file.meters ?? [])]) {
    meters.set(meter.code, toMeter(meter))
  }
  const errors: FieldError[] = []
  const plans = (file.plans ?? []).map((plan, planAt) => ({
    ...plan,
    versions: plan.versions.map((version, at): FileVersionJson => {
      try {
        const catalogue = { currency: plan.currency, meters: [...meters.values()] }
        return { ...version, charges: checkVersion(version, catalogue) }
      } catch (error) {
        if (!(error instanceof DomainError)) throw error
        const path = `plans[${planAt}].versions[${at}]`
        errors.push(...error.errors.map((one) => ({ ...one, field: `${path}.${one.field}` })))
        return version
      }
    }),
  }))
  if (errors.length > 0) throw invalidFields('invalid_catalogue', errors)
  return { ...file, plans }
}

async function make(work: Work, change: CatalogueChangeJson): Promise<void> {
  if (change.object === 'meter') return makeMeter(work, change)
  const { deps, transaction, caller, wanted } = work
  const { code } = change
  const planned = wanted.plans?.find((one) => one.code === code)
  if (change.object === 'plan' && change.action === 'create' && planned !== undefined) {
    await addPlan(work, { code, name: planned.name ?? code, currency: planned.currency })
    return
  }
  const key = { organizationId: caller.organizationId, idOrCode: code }
  const plan = await lockPlan(deps.plans, transaction, key)
  if (!plan) throw planNotFound(code)
  if (change.action === 'make_default') return makeDefault(work, plan)
  if (planned === undefined) return
  if (change.object === 'plan') return renamePlan({ ...work, plan }, planned.name ?? plan.name)
  return makeVersion({ ...work, plan, planned }, change)
}

async function makeMeter(
  { deps, sql, transaction, caller, wanted }: Work,
  { action, code }: CatalogueChangeJson,
): Promise<void> {
  const { organizationId } = caller
  const sent = wanted.meters?.find((one) => one.code === code)
  if (sent === undefined) return
  const content = wholeContent(sent)
  let before: object | null = null
  if (action === 'create') {
    await insertMeter(deps.meters, transaction, { organizationId, code, content })
  } else {
    const where = { organizationId, code }
    const meter = await deps.meters.findOne({ where, transaction, rejectOnEmpty: true })
    before = contentOf(meter)
    await updateMeter(meter, transaction, content)
  }
  await writeAudit(sql, {
    organizationId,
    actor: `key:${caller.keyId}`,
    action: action === 'create' ? 'meter.created' : 'meter.changed',
    objectType: 'meter',
    objectId: code,
    before,
    after: content,
  })
}

type PlanWork = Work & {
  readonly plan: NonNullable<Awaited<ReturnType<typeof lockPlan>>>
  readonly planned: FilePlanJson
}

async function makeVersion(work: PlanWork, change: CatalogueChangeJson): Promise<void> {
  const { deps, transaction, plan, planned } = work
  const wanted = planned.versions.find((one) => one.version === change.version)
  if (wanted === undefined) return
  const { version: number, charges, carry_tiers: carryTiers = false } = wanted
  if (change.action === 'create') {
    const draft = { planId: plan.id, version: number, charges, carryTiers }
    await insertVersion(deps.versions, transaction, draft)
    return
  }
  const version = await findVersion(
    deps.versions,
    { planId: plan.id, version: number },
    transaction,
  )
  if (!version) throw new Error('A version that was just read is gone.')
  const target = { ...work, version }
  if (change.action === 'change') return changeDraft(target, wanted)
  return change.action === 'activate' ? activateVersion(target) : retireVersion(target)
}

const catalogueConflict = (conflicts: readonly FieldError[]): DomainError =>
  new DomainError(
    'conflict',
    'catalogue_conflict',
    'The file changes what is in use, which never changes; see errors. Nothing was changed.',
    conflicts,
  )

const changedMeanwhile = (): DomainError =>
  new DomainError(
    'conflict',
    'catalogue_changed',
    'Somebody else changed the catalogue at the same moment. Nothing was changed; send the file again.',
  )
