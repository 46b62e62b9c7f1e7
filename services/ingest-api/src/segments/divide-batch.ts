import type { Sql } from '@billtrail/platform'
import { customerNoOf, type EventBatch, keyOffset, keyText } from '../reading'
import { hashKey, type KeyFilter, mayHold } from './key-filter'
import type { SealedKeys } from './sealed-keys'
import { findStoredKeys, type SealedKey, type SealedSegment } from './segments.repo'

/** Rows of a batch by whether a sealed segment of their organization holds their keys; both in the order given. */
export interface DividedBatch {
  /** None does: at most the open segment holds them. */
  readonly fresh: Uint32Array
  /** One may; nearly always it does. */
  readonly known: Uint32Array
}

/** Where a filter says "maybe" to more than this share of the rows, it is believed: they are compared anyway. */
const ASKED_SHARE = 0.25

/**
 * Divides the sorted rows `order` of a batch: by the filters of the sealed segments, and where these say "maybe" by what
 * the segments hold. Nothing is added to them, so that any connection may be asked, at any time.
 */
export async function divideBatch(
  deps: { readonly sealedKeys: SealedKeys; readonly sql: Sql },
  sealed: readonly SealedSegment[],
  batch: EventBatch,
  order: Uint32Array,
): Promise<DividedBatch> {
  if (sealed.length === 0) return { fresh: order, known: new Uint32Array(0) }
  const hashes = hashKeys(batch, order)
  const isKnown = new Uint8Array(order.length)
  const asked: SealedKey[] = []
  const askedPlaces: number[] = []
  for (const segment of sealed) {
    const maybe = placesIn(await deps.sealedKeys.filterOf(segment), hashes)
    const isBelieved = maybe.length > ASKED_SHARE * order.length
    for (const place of maybe) {
      if (isBelieved) isKnown[place] = 1
      else {
        const row = order[place]!
        const customerNo = customerNoOf(batch, row)
        asked.push({ segmentNo: segment.segmentNo, customerNo, eventKey: keyText(batch, row) })
        askedPlaces.push(place)
      }
    }
  }
  if (asked.length > 0) {
    for (const at of await findStoredKeys(deps.sql, asked)) isKnown[askedPlaces[at]!] = 1
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
