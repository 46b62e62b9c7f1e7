import { fieldErrors, invalidFields } from '@billtrail/contracts'
import { writeAudit } from '@billtrail/db'
import { DomainError } from '@billtrail/domain'
import { type Caller, sqlState } from '@billtrail/platform'
import { inSequelizeTransaction, sequelizeSql } from '@billtrail/platform/sequelize'
import type { CatalogueDeps } from '../catalogue-deps'
import type { MeterRow } from './meter.model'
import {
  findMeter,
  frozenMeters,
  insertMeter,
  listMeters,
  lockMeter,
  updateMeter,
} from './meters.repo'
import { type MeterChanges, type NewMeter, WholeMeter } from './meters.schema'
import { contentOf, differingFields, type MeterContent, wholeContent } from './present-meter'

const UNIQUE_VIOLATION = '23505'

export const meterNotFound = (code: string): DomainError =>
  new DomainError('not_found', 'meter_not_found', `There is no meter ${code}.`)

/** Throws DomainError `meter_not_found`. */
export async function getMeter(
  deps: CatalogueDeps,
  caller: Caller,
  code: string,
): Promise<MeterRow> {
  const meter = await findMeter(deps.meters, { organizationId: caller.organizationId, code })
  if (!meter) throw meterNotFound(code)
  return meter
}

/** One more than `limit`, where there is: the sign of another page. */
export async function pageOfMeters(
  deps: CatalogueDeps,
  caller: Caller,
  page: { limit: number; after: string | undefined },
): Promise<MeterRow[]> {
  const { organizationId } = caller
  return listMeters(deps.meters, { organizationId, after: page.after, limit: page.limit + 1 })
}

/** Makes a meter; the same again changes nothing. Throws DomainError `meter_exists` for one with other content. */
export async function createMeter(
  deps: CatalogueDeps,
  caller: Caller,
  sent: NewMeter,
): Promise<{ meter: MeterRow; created: boolean }> {
  const { organizationId } = caller
  const content = wholeContent(sent)
  const key = { organizationId, code: sent.code }
  try {
    const meter = await inSequelizeTransaction(deps.sequelize, async (transaction) => {
      const made = await insertMeter(deps.meters, transaction, { ...key, content })
      await writeAudit(sequelizeSql(deps.sequelize, transaction), {
        organizationId,
        actor: `key:${caller.keyId}`,
        action: 'meter.created',
        objectType: 'meter',
        objectId: sent.code,
        before: null,
        after: content,
      })
      return made
    })
    return { meter, created: true }
  } catch (error) {
    if (sqlState(error) !== UNIQUE_VIOLATION) throw error
    const known = await getMeter(deps, caller, sent.code)
    const differing = differingFields(contentOf(known), content)
    if (differing.length === 0) return { meter: known, created: false }
    throw new DomainError(
      'conflict',
      'meter_exists',
      `There is a meter ${sent.code} with other content. Change it with PATCH.`,
      differing.map((field) => ({ field, message: 'differs from what is stored' })),
    )
  }
}

/**
 * Changes what is given; absent stays. A meter that an activated plan version uses keeps all but its name.
 * Throws DomainError `meter_not_found`, `meter_in_use`, `invalid_meter`.
 */
export async function changeMeter(
  deps: CatalogueDeps,
  caller: Caller,
  { code, changes }: { code: string; changes: MeterChanges },
): Promise<MeterRow> {
  const { organizationId } = caller
  return inSequelizeTransaction(deps.sequelize, async (transaction) => {
    const sql = sequelizeSql(deps.sequelize, transaction)
    const meter = await lockMeter(deps.meters, transaction, { organizationId, code })
    if (!meter) throw meterNotFound(code)
    const before = contentOf(meter)
    const after = checked({ ...before, ...defined(changes) })
    const differing = differingFields(before, after)
    if (differing.length === 0) return meter
    const frozen = differing.filter((field) => field !== 'name')
    if (frozen.length > 0 && (await frozenMeters(sql, organizationId)).has(code)) {
      throw meterInUse(code, frozen)
    }
    await updateMeter(meter, transaction, after)
    await writeAudit(sql, {
      organizationId,
      actor: `key:${caller.keyId}`,
      action: 'meter.changed',
      objectType: 'meter',
      objectId: code,
      before,
      after,
    })
    return meter
  })
}

function checked(content: MeterContent): MeterContent {
  const result = WholeMeter.safeParse(content)
  if (!result.success) throw invalidFields('invalid_meter', fieldErrors(result.error, []))
  return content
}

function defined(changes: MeterChanges): Partial<MeterContent> {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}

const meterInUse = (code: string, fields: readonly string[]): DomainError =>
  new DomainError(
    'conflict',
    'meter_in_use',
    `A plan version that was activated uses the meter ${code}, so what it counts never changes. Make another meter.`,
    fields.map((field) => ({ field, message: 'cannot be changed any more' })),
  )
