import { DomainError } from '@billtrail/domain'
import { z } from 'zod'

/** `limit` and `cursor` of every list. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(50).meta({ description: 'Items a page' }),
  cursor: z.string().max(2000).optional().meta({ description: '`next_cursor` of the page before' }),
})

/** The key of the last item of a page, opaque to the caller. */
export function encodeCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url')
}

/** Reads a cursor back through the schema of its key. Throws `invalid_cursor`. */
export function decodeCursor<Key extends z.ZodType>(
  cursor: string | undefined,
  key: Key,
): z.output<Key> | undefined {
  if (cursor === undefined) return undefined
  try {
    const result = key.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
    if (result.success) return result.data
  } catch {
    // falls through to the one answer for every bad cursor
  }
  throw new DomainError('invalid', 'invalid_cursor', 'cursor is not one that this list gave out.', [
    { field: 'cursor', message: 'send next_cursor of the page before, or none' },
  ])
}

export interface Page<Item> {
  readonly data: readonly Item[]
  readonly next_cursor: string | null
}

/** Makes a page of `limit + 1` fetched rows: the extra one says that there is more. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  present: (row: Row) => Item,
  keyOf: (row: Row) => readonly (string | number)[],
): Page<Item> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    data: shown.map(present),
    next_cursor: rows.length > limit && last !== undefined ? encodeCursor(keyOf(last)) : null,
  }
}

/** The schema of a page, for OpenAPI. */
export const pageSchema = <Item extends z.ZodType>(item: Item) =>
  z.object({ data: z.array(item), next_cursor: z.string().nullable() })
