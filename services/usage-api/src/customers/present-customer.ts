import type { z } from 'zod'
import type { Customer } from './customer.model'
import type { CustomerBody, CustomerFields } from './customers.schema'

export const presentCustomer = (customer: Customer): z.output<typeof CustomerBody> => ({
  id: customer.id,
  ...fieldsOf(customer),
  registered_at: customer.registeredAt?.toISOString() ?? null,
  updated_at: customer.updatedAt?.toISOString() ?? null,
})

/** What people can set, as it is now. */
export const fieldsOf = (
  customer: Customer,
): Required<Record<keyof CustomerFields, string | null>> => ({
  name: customer.name,
  email: customer.email,
  currency: customer.currency,
  timezone: customer.timezone,
})

/** The fields whose given values differ from what is stored. What is not given does not differ. */
export function differingFields(
  customer: Customer,
  given: CustomerFields,
): (keyof CustomerFields)[] {
  const now = fieldsOf(customer)
  return (['name', 'email', 'currency', 'timezone'] as const).filter(
    (field) => given[field] !== undefined && given[field] !== now[field],
  )
}
