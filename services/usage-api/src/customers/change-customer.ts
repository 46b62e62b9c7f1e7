import { holdUsage, queueMonths, recountUsage, writeAudit } from '@billtrail/db'
import type { Caller, Sql } from '@billtrail/platform'
import { inSequelizeTransaction, sequelizeSql } from '@billtrail/platform/sequelize'
import type { Transaction } from 'sequelize'
import type { UsageDeps } from '../usage-deps'
import type { Customer } from './customer.model'
import { customerNotFound } from './customer-not-found'
import { findCustomer, lockCustomer } from './customers.repo'
import type { CustomerFields } from './customers.schema'
import { differingFields, fieldsOf } from './present-customer'
import { requireTimezone } from './timezone.repo'

/**
 * Changes what is given: absent stays, null clears. Another time zone moves usage between months, so the
 * customer's usage is counted anew in the same transaction. Each change leaves an audit row.
 *
 * Throws `customer_not_found`, `unknown_timezone`, `usage_is_being_counted`.
 */
export async function changeCustomer(
  deps: UsageDeps,
  caller: Caller,
  id: string,
  changes: CustomerFields,
): Promise<Customer> {
  await requireTimezone(deps.pool, changes.timezone)
  const key = { organizationId: caller.organizationId, id }
  const seen = await findCustomer(deps.customers, key)
  if (!seen) throw customerNotFound(id)

  return inSequelizeTransaction(deps.sequelize, async (transaction) => {
    const sql = sequelizeSql(deps.sequelize, transaction)
    const moves = differingFields(seen, changes).includes('timezone')
    if (moves) await holdUsage(sql)
    const customer = await lockCustomer(deps.customers, transaction, key)
    if (!customer) throw customerNotFound(id)
    const differing = differingFields(customer, changes)
    if (differing.length === 0) return customer
    // Somebody else changed it since it was seen: late, but still before anything is counted.
    if (!moves && differing.includes('timezone')) await holdUsage(sql)
    await applyChanges({ sql, transaction, caller, customer, changes, action: 'customer.changed' })
    return customer
  })
}

/** Writes the changes to a locked row, with all that follows from them. */
export async function applyChanges(change: {
  sql: Sql
  transaction: Transaction
  caller: Caller
  customer: Customer
  changes: CustomerFields
  action: 'customer.changed' | 'customer.registered'
}): Promise<void> {
  const { sql, transaction, caller, customer, changes, action } = change
  const before = fieldsOf(customer)
  const registers = action === 'customer.registered'
  const now = new Date()
  // Absent is not null: only what was given is set.
  for (const field of differingFields(customer, changes)) {
    customer.set(field, changes[field] ?? null)
  }
  if (registers) customer.registeredAt = now
  customer.updatedAt = now
  await customer.save({ transaction })

  const after = fieldsOf(customer)
  // Bills and files show the name and are in the customer's currency.
  if (before.timezone !== after.timezone) await recountUsage(sql, customer)
  else if (before.name !== after.name || before.currency !== after.currency) {
    await queueMonths(sql, [customer.customerNo])
  }
  await writeAudit(sql, {
    organizationId: caller.organizationId,
    actor: `key:${caller.keyId}`,
    action,
    objectType: 'customer',
    objectId: customer.id,
    before: registers ? null : before,
    after,
  })
}
