import { internCustomers, internEventTypes, rememberNumber } from '@billtrail/db'
import type { Pool } from '@billtrail/platform'
import type { NameTable } from '../reading'

interface Names {
  readonly customers: NameTable
  readonly eventTypes: NameTable
}

/** The numbers that stand for customers and event types in the tables of usage. */
export interface KnownNumbers {
  /**
   * Sets the numbers of all names that were met. Answers with what to call once events with these numbers are stored
   * durably: only then may they be remembered. A number that an upload has just made may not be on disk before, and what
   * a crash takes back may come to stand for somebody else.
   */
  number(organizationId: string, names: Names): Promise<() => void>
}

type Intern = (names: { id: string; name: string | null }[]) => Promise<number[]>

/** Remembers numbers, as they never change. */
export function knownNumbers(pool: Pool): KnownNumbers {
  const customers = new Map<string, number>()
  const eventTypes = new Map<string, number>()
  return {
    async number(organizationId, names) {
      const remember = [
        await numberNames(names.customers, { known: customers, organizationId }, (met) =>
          internCustomers(pool, organizationId, met),
        ),
        await numberNames(names.eventTypes, { known: eventTypes, organizationId }, (met) =>
          internEventTypes(
            pool,
            organizationId,
            met.map((type) => type.id),
          ),
        ),
      ]
      return () => remember.forEach((call) => call())
    },
  }
}

/** A customer that came with a name is always asked for: the name may be missing there. */
async function numberNames(
  table: NameTable,
  { known, organizationId }: { known: Map<string, number>; organizationId: string },
  intern: Intern,
): Promise<() => void> {
  const keyOf = (id: string) => `${organizationId} ${id}`
  const unknown = table.unnumbered().filter(({ index, id, name }) => {
    const number = known.get(keyOf(id))
    if (number === undefined || name !== null) return true
    table.setNumber(index, number)
    return false
  })
  if (unknown.length === 0) return () => undefined
  const numbers = await intern(unknown)
  unknown.forEach(({ index }, at) => table.setNumber(index, numbers[at]!))
  return () => unknown.forEach(({ id }, at) => rememberNumber(known, keyOf(id), numbers[at]!))
}
