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

/** What the filter of one sealed segment says "maybe" to: places in the order. */
export interface Sifted {
  readonly segmentNo: number
  readonly maybe: readonly number[]
}

/** Asks the filters of the sealed segments about the sorted rows `order` of a batch. Needs no connection of the upload. */
export async function siftBatch(
  sealedKeys: SealedKeys,
  sealed: readonly SealedSegment[],
  batch: EventBatch,
  order: Uint32Array,
): Promise<Sifted[]> {
  if (sealed.length === 0) return []
  const hashes = hashKeys(batch, order)
  const sifted: Sifted[] = []
  for (const segment of sealed) {
    const maybe = placesIn(await sealedKeys.filterOf(segment), hashes)
    if (maybe.length > 0) sifted.push({ segmentNo: segment.segmentNo, maybe })
  }
  return sifted
}

/** Where a filter says "maybe" to more than this share of the rows, it is believed: they are compared anyway. */
const ASKED_SHARE = 0.25

/** Asks the segments whose filters say "maybe", key by key, and divides the rows by what they answer. */
export async function divideBatch(
  client: PoolClient,
  sifted: readonly Sifted[],
  batch: EventBatch,
  order: Uint32Array,
): Promise<DividedBatch> {
  if (sifted.length === 0) return { fresh: order, known: new Uint32Array(0) }
  const isKnown = new Uint8Array(order.length)
  for (const { segmentNo, maybe } of sifted) {
    const isBelieved = maybe.length > ASKED_SHARE * order.length
    const held = isBelieved ? maybe : await askFor(client, segmentNo, batch, order, maybe)
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

/** The places of rows that the filter does not rule out. */
function placesIn(filter: KeyFilter, hashes: Uint32Array): number[] {
  const places: number[] = []
  const hash = { place: 0, bits: 0 }
  for (let place = 0; 2 * place < hashes.length; place++) {
    hash.place = hashes[2 * place]!
    hash.bits = hashes[2 * place + 1]!
    if (mayHold(filter, hash)) places.push(place)
  }
  return places
}

async function askFor(
  client: PoolClient,
  segmentNo: number,
  batch: EventBatch,
  order: Uint32Array,
  places: readonly number[],
): Promise<number[]> {
  const rows = places.map((place) => order[place]!)
  const found = await findStoredKeys(client, segmentNo, {
    customers: rows.map((row) => customerNoOf(batch, row)),
    keys: rows.map((row) => keyText(batch, row)),
  })
  return found.map((at) => places[at]!)
}
