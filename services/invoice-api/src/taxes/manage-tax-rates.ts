import { invalidFields } from '@billtrail/contracts'
import { queueMonths, queueOpenMonths, writeAudit } from '@billtrail/db'
import { DomainError } from '@billtrail/domain'
import { type Caller, inTransaction, type Sql } from '@billtrail/platform'
import type { Pool } from 'pg'
import {
  findTaxpayer,
  findTaxRate,
  insertTaxRate,
  listTaxRates,
  ratesNamed,
  saveCustomerTaxes,
  updateDefault,
} from './tax-rates.repo'
import type { NewTaxRate, TaxRate } from './tax-rates.schema'

/** One more than `limit`, where there is: the sign of another page. */
export async function pageOfTaxRates(
  sql: Sql,
  caller: Caller,
  page: { limit: number; after: readonly [string, string] | undefined },
): Promise<TaxRate[]> {
  const { organizationId } = caller
  return listTaxRates(sql, { organizationId, after: page.after, limit: page.limit + 1 })
}

/** Throws DomainError `tax_rate_not_found`. */
export async function getTaxRate(
  sql: Sql,
  caller: Caller,
  id: string,
  options: { lock: boolean } = { lock: false },
): Promise<TaxRate> {
  const rate = await findTaxRate(sql, { organizationId: caller.organizationId, id }, options)
  if (rate) return rate
  throw new DomainError('not_found', 'tax_rate_not_found', `There is no tax rate ${id}.`)
}

/** Makes a rate. As a default it is on every open month of customers without rates of their own from the next cycle on. */
export async function createTaxRate(
  pool: Pool,
  caller: Caller,
  sent: NewTaxRate,
): Promise<TaxRate> {
  const { organizationId } = caller
  return inTransaction(pool, async (sql) => {
    const rate = await insertTaxRate(sql, organizationId, sent)
    if (rate.default) await queueOpenMonths(sql, organizationId)
    await audit(sql, caller, {
      action: 'tax_rate.created',
      object: ['tax_rate', rate.id],
      before: null,
      after: sent,
    })
    return rate
  })
}

/** What a rate says never changes, for bills name it; whether it is a default does. Throws `tax_rate_not_found`. */
export async function changeTaxRate(
  pool: Pool,
  caller: Caller,
  { id, isDefault }: { id: string; isDefault: boolean },
): Promise<TaxRate> {
  return inTransaction(pool, async (sql) => {
    const before = await getTaxRate(sql, caller, id, { lock: true })
    if (before.default === isDefault) return before
    await updateDefault(sql, id, isDefault)
    await queueOpenMonths(sql, caller.organizationId)
    await audit(sql, caller, {
      action: 'tax_rate.changed',
      object: ['tax_rate', id],
      before: { default: before.default },
      after: { default: isDefault },
    })
    return { ...before, default: isDefault }
  })
}

export interface CustomerTaxes {
  readonly own: boolean
  readonly data: TaxRate[]
}

/** Throws DomainError `customer_not_found`. */
export async function getCustomerTaxes(
  sql: Sql,
  caller: Caller,
  customerId: string,
): Promise<CustomerTaxes> {
  const { own } = await requireTaxpayer(sql, caller, customerId)
  return { own: own !== null, data: await ratesNamed(sql, caller.organizationId, own) }
}

/**
 * Gives a customer rates of its own in place of the organization's; none exempts it, null undoes it. Open months
 * follow. Throws DomainError `customer_not_found`, `unknown_tax_rate`.
 */
export async function putCustomerTaxes(
  pool: Pool,
  caller: Caller,
  { customerId, ids }: { customerId: string; ids: readonly string[] | null },
): Promise<CustomerTaxes> {
  const { organizationId } = caller
  return inTransaction(pool, async (sql) => {
    const { customerNo, own } = await requireTaxpayer(sql, caller, customerId)
    const known = new Set((await ratesNamed(sql, organizationId, ids ?? [])).map(({ id }) => id))
    const errors = (ids ?? []).flatMap((id, at) =>
      known.has(id)
        ? []
        : [{ field: `tax_rate_ids[${at}]`, message: `There is no tax rate ${id}` }],
    )
    if (errors.length > 0) throw invalidFields('unknown_tax_rate', errors)
    await saveCustomerTaxes(sql, customerNo, ids)
    await queueMonths(sql, [customerNo])
    await audit(sql, caller, {
      action: 'customer.taxes_changed',
      object: ['customer', customerId],
      before: { tax_rate_ids: own },
      after: { tax_rate_ids: ids },
    })
    return getCustomerTaxes(sql, caller, customerId)
  })
}

async function requireTaxpayer(sql: Sql, { organizationId }: Caller, customerId: string) {
  const taxpayer = await findTaxpayer(sql, { organizationId, customerId })
  if (taxpayer) return taxpayer
  const message = `There is no customer ${customerId}.`
  throw new DomainError('not_found', 'customer_not_found', message)
}

async function audit(
  sql: Sql,
  caller: Caller,
  entry: {
    action: string
    object: readonly [type: string, id: string]
    before: object | null
    after: object
  },
): Promise<void> {
  const [objectType, objectId] = entry.object
  await writeAudit(sql, {
    organizationId: caller.organizationId,
    actor: `key:${caller.keyId}`,
    action: entry.action,
    objectType,
    objectId,
    before: entry.before,
    after: entry.after,
  })
}
