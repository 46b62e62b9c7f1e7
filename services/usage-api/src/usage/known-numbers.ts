import { internEventTypes, rememberNumber } from '@billtrail/db'
import type { Sql } from '@billtrail/platform'
import { customerNotFound } from '../customers/customer-not-found'
import { findUsageCustomer } from './usage.repo'

/** The numbers that stand for customers and event types in the tables of usage. */
export interface KnownNumbers {
  /** Throws `customer_not_found` for a customer that doesn't show. */
  customer(organizationId: string, id: string): Promise<number>
  /** The number of a registered customer that was met before: it goes on to show. */
  registeredCustomer(organizationId: string, id: string): number | undefined
  /** The number of a customer that was met before. Whether it still shows, its usage has to say. */
  metCustomer(organizationId: string, id: string): number | undefined
  eventType(organizationId: string, name: string): Promise<number>
  /** The number of an event type that was remembered. */
  knownEventType(organizationId: string, name: string): number | undefined
  /**
   * To be called once an event with that number is stored durably. A number that an upload has just made may not be on
   * disk before, and what a crash takes back may come to stand for another type.
   */
  rememberEventType(organizationId: string, name: string, number: number): void
}

const keyOf = (organizationId: string, text: string): string => `${organizationId} ${text}`

/**
 * Remembers numbers, as they never change. A customer that is known from usage only is asked for each time: it
 * stops to show when that usage is withdrawn.
 */
export function knownNumbers(sql: Sql): KnownNumbers {
  const customers = new Map<string, number>()
  const met = new Map<string, number>()
  const eventTypes = new Map<string, number>()
  return {
    async customer(organizationId, id) {
      const known = customers.get(keyOf(organizationId, id))
      if (known !== undefined) return known
      const found = await findUsageCustomer(sql, organizationId, id)
      if (!found) throw customerNotFound(id)
      const numbers = found.registered ? customers : met
      rememberNumber(numbers, keyOf(organizationId, id), found.customerNo)
      return found.customerNo
    },
    registeredCustomer: (organizationId, id) => customers.get(keyOf(organizationId, id)),
    metCustomer(organizationId, id) {
      const key = keyOf(organizationId, id)
      return customers.get(key) ?? met.get(key)
    },
    knownEventType: (organizationId, name) => eventTypes.get(keyOf(organizationId, name)),
    async eventType(organizationId, name) {
      const known = eventTypes.get(keyOf(organizationId, name))
      if (known !== undefined) return known
      const [number] = await internEventTypes(sql, organizationId, [name])
      return number!
    },
    rememberEventType(organizationId, name, number) {
      rememberNumber(eventTypes, keyOf(organizationId, name), number)
    },
  }
}
