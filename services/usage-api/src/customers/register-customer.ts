import { holdUsage } from '@billtrail/db'
import { DomainError } from '@billtrail/domain'
import type { Caller } from '@billtrail/platform'
import { inSequelizeTransaction, sequelizeSql } from '@billtrail/platform/sequelize'
import type { UsageDeps } from '../usage-deps'
import { applyChanges } from './change-customer'
import type { Customer } from './customer.model'
import { addCustomer, lockCustomer } from './customers.repo'
import type { NewCustomer } from './customers.schema'
import { differingFields, fieldsOf } from './present-customer'
import { requireTimezone } from './timezone.repo'

/**
 * Registers a customer. One that usage has named already is registered with what is given and keeps the rest.
 * The same again changes nothing; fields that are left out are not compared.
 *
 * Throws `customer_exists` when a given field differs, `unknown_timezone`, `usage_is_being_counted`.
 */
export async function registerCustomer(
  deps: UsageDeps,
  caller: Caller,
  { id, ...fields }: NewCustomer,
): Promise<{ customer: Customer; created: boolean }> {
  await requireTimezone(deps.pool, fields.timezone)
  const key = { organizationId: caller.organizationId, id }

  return inSequelizeTransaction(deps.sequelize, async (transaction) => {
    const sql = sequelizeSql(deps.sequelize, transaction)
    const known = await deps.customers.findOne({ where: key, transaction })
    // Nobody can have counted usage of a row that only this transaction sees.
    const made = known === null && (await addCustomer(deps.customers, transaction, key))
    if (!made && fields.timezone !== undefined && known?.registeredAt == null) await holdUsage(sql)
    const customer = await lockCustomer(deps.customers, transaction, key)
    if (!customer) throw new Error('A customer that was just stored is gone.')

    if (customer.registeredAt !== null) {
      refuseOther(customer, fields)
      return { customer, created: false }
    }
    const action = 'customer.registered'
    await applyChanges({ sql, transaction, caller, customer, changes: fields, action })
    return { customer, created: true }
  })
}

function refuseOther(customer: Customer, fields: Omit<NewCustomer, 'id'>): void {
  const stored = fieldsOf(customer)
  const differing = differingFields(customer, fields)
  if (differing.length === 0) return
  throw new DomainError(
    'conflict',
    'customer_exists',
    `There is a customer ${customer.id} with other content. Change it with PATCH.`,
    differing.map((field) => ({
      field,
      message: `is ${JSON.stringify(stored[field])}, sent ${JSON.stringify(fields[field])}`,
    })),
  )
}
