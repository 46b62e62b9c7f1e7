import { createHash } from 'node:crypto'

/** Our own namespace for ids made of idempotency keys: any fixed bytes will do. */
const NAMESPACE = Buffer.from('8f0c35f2a1b94e0c9d6b5b1f1a4d7e32', 'hex')

/** The event id that an Idempotency-Key stands for: a UUID of version 5 (RFC 9562), the same for the same key. */
export function deriveEventId(idempotencyKey: string): string {
  const bytes = createHash('sha1')
    .update(NAMESPACE)
    .update(idempotencyKey, 'utf8')
    .digest()
    .subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x50
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [8, 12, 16, 20].reduceRight((text, at) => `${text.slice(0, at)}-${text.slice(at)}`, hex)
}
