import type { Caller } from '@billtrail/platform'
import type { UsageDeps } from '../usage-deps'
import type { Customer } from './customer.model'
import { customerNotFound } from './customer-not-found'
import { findCustomer, listCustomers } from './customers.repo'

/** Throws `customer_not_found`. */
export async function getCustomer(deps: UsageDeps, caller: Caller, id: string): Promise<Customer> {
  const customer = await findCustomer(deps.customers, { organizationId: caller.organizationId, id })
  if (!customer) throw customerNotFound(id)
  return customer
}

/** One more than `limit`, where there is: the sign of another page. */
export async function pageOfCustomers(
  deps: UsageDeps,
  caller: Caller,
  page: { limit: number; after: string | undefined; name?: string | undefined },
): Promise<Customer[]> {
  return listCustomers(deps.customers, {
    organizationId: caller.organizationId,
    after: page.after,
    name: page.name,
    limit: page.limit + 1,
  })
}
