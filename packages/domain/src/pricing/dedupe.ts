import type { RatedEvent } from './rated-usage'

/**
 * Parts events into those that are charged and repeats of them.
 *
 * A repeat has the same values of all the properties as an earlier event (in the order given). An event that lacks
 * one of the properties repeats nothing: we can't know that it's the same, so it is charged.
 */
export function splitRepeats(
  events: readonly RatedEvent[],
  dedupeBy: readonly string[] | undefined,
): { readonly charged: readonly RatedEvent[]; readonly repeats: readonly RatedEvent[] } {
  if (dedupeBy === undefined || dedupeBy.length === 0) return { charged: events, repeats: [] }
  const seen = new Set<string>()
  const charged: RatedEvent[] = []
  const repeats: RatedEvent[] = []
  for (const event of events) {
    const values = dedupeBy.map((name) => event.properties?.[name])
    const key = JSON.stringify(values)
    if (!values.includes(undefined) && seen.has(key)) repeats.push(event)
    else charged.push(event)
    seen.add(key)
  }
  return { charged, repeats }
}
