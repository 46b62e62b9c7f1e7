import type { BucketRow } from './count-usage'

/**
 * Adds the empty buckets: one for each start, and for each combination of groups' values that has any usage.
 * Undefined when that makes more than `max`.
 */
export function fillWithZeros(
  starts: readonly string[],
  rows: readonly BucketRow[],
  options: { grouped: boolean; max: number },
): BucketRow[] | undefined {
  const combinations = new Map(rows.map((row) => [JSON.stringify(row.groups), row.groups]))
  if (!options.grouped) combinations.set('[]', [])
  if (combinations.size * starts.length > options.max) return undefined

  const ordered = [...combinations].sort(([, a], [, b]) => compareGroups(a, b))
  const found = new Map(rows.map((row) => [`${row.start}${JSON.stringify(row.groups)}`, row]))
  return starts.flatMap((start) =>
    ordered.map(
      ([key, groups]) => found.get(`${start}${key}`) ?? { start, groups, quantity: '0', events: 0 },
    ),
  )
}

/** As the database orders them: by bytes, null last. */
function compareGroups(a: readonly (string | null)[], b: readonly (string | null)[]): number {
  for (const [at, value] of a.entries()) {
    const other = b[at] ?? null
    if (value === other) continue
    if (value === null) return 1
    if (other === null) return -1
    return Buffer.compare(Buffer.from(value), Buffer.from(other))
  }
  return 0
}
