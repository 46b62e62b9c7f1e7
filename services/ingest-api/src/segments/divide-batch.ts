import type { PoolClient } from 'pg'
import { customerNoOf, type EventBatch, keyOffset, keyText } from '../reading'
import { hashKey, type KeyFilter, mayHold } from './key-filter'
import type { SealedKeys } from './sealed-keys'
import { findStoredKeys, type SealedSegment } from './segments.repo'

/** Rows of a batch by whether a sealed segment of their organization holds their keys; both in the order given. */
export interface DividedBatch {
  /** None does: at most the open segment holds them. */
  readonly fresh: Uint32Array
  /** One may; nearly always it does. */
  readonly known: Uint32Array
}

/** Where a filter says "maybe" to more than this share of the rows, it is believed: they are compared anyway. */
const ASKED_SHARE = 0.25

/** Divides the sorted rows `order` of a batch. Filters are asked first, then the segments whose filter says "maybe". */
export async function divideBatch(
  deps: { readonly sealedKeys: SealedKeys; readonly client: PoolClient },
  sealed: readonly SealedSegment[],
  batch: EventBatch,
  order: Uint32Array,
): Promise<DividedBatch> {
  if (sealed.length === 0) return { fresh: order, known: new Uint32Array(0) }
  const hashes = hashKeys(batch, order)
  const isKnown = new Uint8Array(order.length)
  for (const segment of sealed) {
    const filter = await deps.sealedKeys.filterOf(segment)
    const maybe = placesIn(filter, hashes, isKnown)
    const held =
      maybe.length > ASKED_SHARE * order.length
        ? maybe
        : await askFor(deps.client, segment, batch, order, maybe)
    for (const place of held) isKnown[place] = 1
  }
  const rowsThat = (known: number) => order.filter((_row, place) => isKnown[place] === known)
  return { fresh: rowsThat(0), known: rowsThat(1) }
}

/** Two numbers for each row; see `KeyHash`. */
function hashKeys(batch: EventBatch, order: Uint32Array): Uint32Array {
  const hashes = new Uint32Array(2 * order.length)
  const hash = { place: 0, bits: 0 }
  for (let place = 0; place < order.length; place++) {
    const row = order[place]!
    hashKey(customerNoOf(batch, row), batch.unsigned, keyOffset(row), hash)
    hashes[2 * place] = hash.place
    hashes[2 * place + 1] = hash.bits
  }
  return hashes
}

/** The places of rows that the filter does not rule out, but for those that are known already. */
function placesIn(filter: KeyFilter, hashes: Uint32Array, isKnown: Uint8Array): number[] {
  const places: number[] = []
  const hash = { place: 0, bits: 0 }
  for (let place = 0; place < isKnown.length; place++) {
    hash.place = hashes[2 * place]!
    hash.bits = hashes[2 * place + 1]!
    if (mayHold(filter, hash) && isKnown[place] === 0) places.push(place)
  }
  return places
}

async function askFor(
  client: PoolClient,
  { segmentNo }: SealedSegment,
  batch: EventBatch,
  order: Uint32Array,
  places: readonly number[],
): Promise<number[]> {
  if (places.length === 0) return []
  const rows = places.map((place) => order[place]!)
  const found = await findStoredKeys(client, segmentNo, {
    customers: rows.map((row) => customerNoOf(batch, row)),
    keys: rows.map((row) => keyText(batch, row)),
  })
  return found.map((at) => places[at]!)
}
