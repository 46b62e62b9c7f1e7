import { hash } from 'node:crypto'

const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-79a-f][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * Can this id be its own key? So it is with a UUID in lower case whose version is not 8: the stored event then
 * needs no id beside its key.
 */
export function isOwnKey(eventId: string): boolean {
  return CANONICAL_UUID.test(eventId)
}

/**
 * The 16 bytes an event is found by, next to its customer.
 *
 * An id that is its own key (see isOwnKey) is those bytes. Any other is hashed: SHA-256 of `event_id:` and the id
 * in UTF-8, cut to 16 bytes, with the version set to 8 and the variant bits of RFC 9562. Own keys never have
 * version 8, so the two spaces are disjoint and no id can pose as another's key.
 */
export function eventKeyBytes(eventId: string): Buffer {
  if (isOwnKey(eventId)) return Buffer.from(eventId.replaceAll('-', ''), 'hex')
  const key = hash('sha256', `event_id:${eventId}`, 'buffer').subarray(0, 16)
  key[6] = (key[6]! & 0x0f) | 0x80
  key[8] = (key[8]! & 0x3f) | 0x80
  return key
}

/** The same key as PostgreSQL writes a uuid. */
export function eventKey(eventId: string): string {
  if (isOwnKey(eventId)) return eventId
  const hex = eventKeyBytes(eventId).toString('hex')
  return [8, 12, 16, 20].reduceRight((text, at) => `${text.slice(0, at)}-${text.slice(at)}`, hex)
}
