import { createHash } from 'node:crypto'
import type { Pool, Sql } from '@billtrail/platform'

const STATEMENTS_MAX = 200
const names = new Map<string, string>()

/** Undefined once too many texts were met: such a text is planned anew each time, like any other query. */
function nameOf(text: string): string | undefined {
  const known = names.get(text)
  if (known !== undefined || names.size >= STATEMENTS_MAX) return known
  const name = `usage_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`
  names.set(text, name)
  return name
}

/**
 * The pool, with every statement prepared once on each connection. For calls that run the same few statements all the
 * time on one customer: parsing and planning them costs several times what running them does.
 */
export function preparedSql(pool: Pool): Sql {
  return {
    query(text, values) {
      const name = nameOf(text)
      return pool.query({
        text,
        values: values === undefined ? [] : [...values],
        ...(name === undefined ? {} : { name }),
      })
    },
  }
}
