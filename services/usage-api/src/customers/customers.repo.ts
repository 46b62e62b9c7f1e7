import { unwrapErrors } from '@billtrail/platform/sequelize'
import { Op, Sequelize, type Transaction, type WhereOptions } from 'sequelize'
import type { Customer, Customers } from './customer.model'

/** A customer shows once somebody registered it or it has usage; an id that a failed upload named does not. */
const VISIBLE: WhereOptions<Customer> = {
  [Op.or]: [
    { registeredAt: { [Op.ne]: null } },
    Sequelize.literal(
      'exists (select from usage u where u.customer_no = "Customer"."customer_no")',
    ),
  ],
}

export async function findCustomer(
  customers: Customers,
  key: { organizationId: string; id: string },
): Promise<Customer | null> {
  return unwrapErrors(() => customers.findOne({ where: { [Op.and]: [key, VISIBLE] } }))
}

/** Ids ascend by their bytes: the column's own collation. */
export async function listCustomers(
  customers: Customers,
  options: {
    organizationId: string
    after: string | undefined
    name: string | undefined
    limit: number
  },
): Promise<Customer[]> {
  const { organizationId, after, name, limit } = options
  const conditions: WhereOptions<Customer>[] = [{ organizationId }, VISIBLE]
  if (after !== undefined) conditions.push({ id: { [Op.gt]: after } })
  if (name !== undefined) {
    conditions.push({ name: { [Op.iLike]: `%${name.replaceAll(/[\\%_]/g, '\\$&')}%` } })
  }
  return unwrapErrors(() =>
    customers.findAll({ where: { [Op.and]: conditions }, order: [['id', 'ASC']], limit }),
  )
}

/** The row whether it shows or not, locked until the transaction ends. */
export async function lockCustomer(
  customers: Customers,
  transaction: Transaction,
  key: { organizationId: string; id: string },
): Promise<Customer | null> {
  return customers.findOne({ where: key, transaction, lock: transaction.LOCK.UPDATE })
}

/** Makes the row if there is none; returns whether this call made it. Waits for another that is making it. */
export async function addCustomer(
  customers: Customers,
  transaction: Transaction,
  key: { organizationId: string; id: string },
): Promise<boolean> {
  const [made] = await customers.bulkCreate([key], {
    transaction,
    ignoreDuplicates: true,
    returning: ['customerNo'],
    fields: ['organizationId', 'id'],
  })
  return typeof made?.customerNo === 'number'
}
