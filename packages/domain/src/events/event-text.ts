import { trimBlanks } from './decimal-text'
import { EVENT_LIMITS, isReservedName } from './event-limits'
import type { FieldFault } from './reject-reason'

const LONE_SURROGATE = /\p{Surrogate}/u

const BYTES_MAX = {
  customer_id: EVENT_LIMITS.customerIdBytes,
  event_id: EVENT_LIMITS.eventIdBytes,
  event_type: EVENT_LIMITS.eventTypeBytes,
} as const

/** Reads an id or an event type: trimmed, not empty, without control characters, at most 255 bytes of UTF-8. */
export function parseIdText(
  field: keyof typeof BYTES_MAX,
  text: string,
): { readonly text: string } | FieldFault {
  const trimmed = trimBlanks(text)
  if (trimmed === '') return { reason: `missing_${field}` }
  if (LONE_SURROGATE.test(trimmed)) return { reason: 'invalid_encoding' }
  if (hasControlCharacter(trimmed)) return { reason: `invalid_${field}` }
  if (Buffer.byteLength(trimmed) > BYTES_MAX[field]) return { reason: `${field}_too_long` }
  return { text: trimmed }
}

/** Checks the name of a property; null when it may be used. */
export function propertyNameFault(name: string): FieldFault | null {
  if (name === '') return { reason: 'missing_property_name' }
  if (LONE_SURROGATE.test(name)) return { reason: 'invalid_encoding' }
  if (isReservedName(name)) return { reason: 'reserved_property_name' }
  if (hasControlCharacter(name)) return { reason: 'invalid_property_name' }
  return Buffer.byteLength(name) > EVENT_LIMITS.propertyNameBytes
    ? { reason: 'property_name_too_long' }
    : null
}

/** Checks the value of a property; null when it may be stored. */
export function propertyValueFault(value: string): FieldFault | null {
  if (LONE_SURROGATE.test(value)) return { reason: 'invalid_encoding' }
  if (value.includes('\0')) return { reason: 'invalid_property' }
  return Buffer.byteLength(value) > EVENT_LIMITS.propertyValueBytes
    ? { reason: 'property_too_long' }
    : null
}

/** Does the text hold an ASCII control character: nothing a person can see or type into an id? */
export function hasControlCharacter(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || code === 0x7f) return true
  }
  return false
}
