import { randomUUID } from 'node:crypto'
import {
  DomainError,
  EVENT_LIMITS,
  type FieldError,
  type FieldFault,
  instantText,
  isFault,
  type LocalClock,
  parseDecimalText,
  parseEventDate,
  parseIdText,
  propertyNameFault,
  propertyValueFault,
  rejectMessage,
} from '@billtrail/domain'
import { deriveEventId } from './derive-event-id'
import { GENERATED, type UsageInput } from './usage.schema'

/** One usage fact that has passed every field rule. */
export interface ReadUsage {
  readonly eventType: string
  readonly eventId: string
  /** RFC 3339, UTC, to the microsecond. */
  readonly eventDate: string
  readonly quantity: string
  readonly unitPrice: string | null
  readonly properties: Readonly<Record<string, string>> | null
  readonly generated: (typeof GENERATED)[number][]
}

const OFFSET = /[Tt ]\d\d:\d\d.*(?:[Zz]|[+-]\d\d(?::?\d\d)?)\s*$/

/** Does the date need a zone to be read in? */
export const needsZone = (date: string | null | undefined): boolean =>
  date !== null && date !== undefined && !OFFSET.test(date)

/**
 * Reads a request's usage by the rules of files, with what only a person typing may leave out: the id, which is
 * then made of the idempotency key or drawn, and the date, which is then now. Throws `invalid_event` with every
 * field at fault.
 */
export function readUsage(
  input: UsageInput,
  options: { idempotencyKey: string | undefined; clock: LocalClock; nowMicros: number },
): ReadUsage {
  const errors: FieldError[] = []
  const checked = <T extends object>(field: string, result: T | FieldFault): T | undefined => {
    if (!isFault(result)) return result
    errors.push({ field, message: rejectMessage(result.reason) })
    return undefined
  }
  const eventType = checked('event_type', parseIdText('event_type', input.event_type))
  const eventId =
    input.event_id == null
      ? undefined
      : checked('event_id', parseIdText('event_id', input.event_id))
  const { clock, nowMicros } = options
  const date =
    input.event_date == null
      ? { micros: nowMicros }
      : checked(
          'event_date',
          parseEventDate(input.event_date, { clock, nowMicros, allowFuture: false }),
        )
  const quantity = checked('quantity', readDecimal('quantity', input.quantity ?? '1'))
  const unitPrice =
    input.unit_price == null
      ? null
      : checked('unit_price', readDecimal('unit_price', input.unit_price))
  const properties = input.properties == null ? null : readProperties(input.properties, errors)
  if (errors.length > 0) throw invalidEvent(errors)

  const idempotent = options.idempotencyKey
  return {
    eventType: eventType!.text,
    eventId: eventId?.text ?? (idempotent === undefined ? randomUUID() : deriveEventId(idempotent)),
    eventDate: instantText(date!.micros),
    quantity: quantity!.text,
    unitPrice: unitPrice?.text ?? null,
    properties,
    generated: GENERATED.filter((field) => input[field] == null),
  }
}

const invalidEvent = (errors: readonly FieldError[]): DomainError =>
  new DomainError(
    'invalid',
    'invalid_event',
    errors.length === 1
      ? `${errors[0]!.field}: ${errors[0]!.message}`
      : `${errors.length} fields cannot be used; see errors.`,
    errors,
  )

function readDecimal(
  field: 'quantity' | 'unit_price',
  value: string | number,
): { readonly text: string } | FieldFault {
  if (typeof value === 'string') return parseDecimalText(field, value)
  const text = plainNumber(value)
  return text === null ? { reason: `invalid_${field}` } : parseDecimalText(field, text)
}

/** A number as it was written; null when it needs an exponent or has more digits than a binary float keeps. */
function plainNumber(value: number): string | null {
  const text = String(value)
  const digits = text.replace(/^-|\./g, '').replace(/^0+/, '')
  return /^-?\d+(?:\.\d+)?$/.test(text) && digits.length <= 15 ? text : null
}

/** Null when there are none; an empty value is no property. */
function readProperties(
  given: NonNullable<UsageInput['properties']>,
  errors: FieldError[],
): Record<string, string> | null {
  const entries: [string, string][] = []
  for (const [name, value] of Object.entries(given)) {
    if (value === null || value === '') continue
    const text = typeof value === 'number' ? plainNumber(value) : String(value)
    const fault =
      text === null
        ? { reason: 'invalid_field' as const }
        : (propertyNameFault(name) ?? propertyValueFault(text))
    if (fault) errors.push({ field: `properties.${name}`, message: rejectMessage(fault.reason) })
    else entries.push([name, text!])
  }
  if (entries.length > EVENT_LIMITS.properties) {
    errors.push({ field: 'properties', message: rejectMessage('too_many_properties') })
  }
  return entries.length === 0 ? null : Object.fromEntries(entries)
}
