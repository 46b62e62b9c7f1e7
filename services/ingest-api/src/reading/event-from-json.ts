import {
  EVENT_COLUMNS,
  EVENT_LIMITS,
  type EventColumn,
  type FieldFault,
  type RejectReason,
  propertyNameFault,
} from '@billtrail/domain'

/** The fields of one event as text, before any rule about their values is applied. */
export interface EventFields {
  readonly known: Readonly<Partial<Record<EventColumn, string>>>
  readonly properties: readonly (readonly [name: string, value: string])[]
}

/** A value that is no event, with the field at fault where it is one. */
export interface JsonFault extends FieldFault {
  readonly field: string | null
}

export type JsonEvent = EventFields | JsonFault

type JsonObject = Readonly<Record<string, unknown>>

/** What CloudEvents 1.0 calls our columns. */
const CLOUD_EVENT_COLUMNS: readonly (readonly [string, EventColumn])[] = [
  ['id', 'event_id'],
  ['subject', 'customer_id'],
  ['type', 'event_type'],
  ['time', 'event_date'],
]
const KNOWN: ReadonlySet<string> = new Set(EVENT_COLUMNS)

/**
 * Takes the fields of an event out of a JSON value: our own object (`properties` and any other flat field are
 * properties, as in a CSV) or a structured CloudEvents 1.0 event (one with `specversion`; its flat `data` fields are
 * ours or properties).
 *
 * Texts are taken as they are, numbers in plain notation when they are exact (parse with parseExactJson to keep every
 * digit), booleans in properties as `true` and `false`; null is an absent field. Nested values are faults.
 */
export function eventFromJson(value: unknown): JsonEvent {
  if (!isObject(value)) return fault('not_an_object', null)
  return 'specversion' in value ? fromCloudEvent(value) : fromOurs(value)
}

function fromOurs(value: JsonObject): JsonEvent {
  const { properties = null, ...rest } = value
  if (properties !== null && !isObject(properties)) return fault('nested_property', 'properties')
  return collect([...Object.entries(rest), ...entriesAsProperties(properties)], {})
}

/** Attributes of CloudEvents other than those we know (source, dataschema, extensions) are not usage: left out. */
function fromCloudEvent(event: JsonObject): JsonEvent {
  const envelope: Partial<Record<EventColumn, string>> = {}
  for (const [attribute, column] of CLOUD_EVENT_COLUMNS) {
    const value = event[attribute] ?? null
    if (value === null) continue
    if (typeof value !== 'string') return fault('invalid_field', attribute)
    envelope[column] = value
  }
  const data = event['data'] ?? null
  if (data !== null && !isObject(data)) return fault('nested_property', 'data')
  const { properties = null, ...rest } = data ?? {}
  if (properties !== null && !isObject(properties)) return fault('nested_property', 'properties')
  // The envelope wins: data may repeat the customer, but what happened when is the envelope's to say.
  const fields = Object.entries(rest).filter(([name]) => !(name in envelope))
  return collect([...fields, ...entriesAsProperties(properties)], envelope)
}

/** Names of our columns inside `properties` must stay faults, so they are marked as what they are: properties. */
function entriesAsProperties(properties: JsonObject | null): [string, unknown, 'property'][] {
  return Object.entries(properties ?? {}).map(([name, value]) => [name, value, 'property'])
}

function collect(
  entries: readonly (readonly [string, unknown, 'property'?])[],
  envelope: Partial<Record<EventColumn, string>>,
): JsonEvent {
  const known: Partial<Record<EventColumn, string>> = { ...envelope }
  const properties = new Map<string, string>()
  for (const [name, value, as] of entries) {
    if (value === null || value === undefined) continue
    if (as !== 'property' && isEventColumn(name)) {
      const text = knownText(name, value)
      if (text === null) return fault(faultOfKnown(name), name)
      known[name] = text
      continue
    }
    const text = typeof value === 'boolean' ? String(value) : plainText(value)
    if (text === null) return fault('nested_property', name)
    const nameFault = propertyNameFault(name)
    if (nameFault !== null) return fault(nameFault.reason, name)
    if (properties.has(name)) return fault('duplicate_property', name)
    properties.set(name, text)
  }
  if (properties.size > EVENT_LIMITS.properties) return fault('too_many_properties', null)
  return { known, properties: [...properties] }
}

/** Numbers come as the texts they were written as (parseExactJson), also those of ids: `5` and `5.0` are two. */
function knownText(name: EventColumn, value: unknown): string | null {
  if (typeof value === 'string') return value
  return name === 'quantity' || name === 'unit_price' ? plainText(value) : null
}

function faultOfKnown(name: EventColumn): RejectReason {
  return name === 'quantity'
    ? 'invalid_quantity'
    : name === 'unit_price'
      ? 'invalid_unit_price'
      : 'invalid_field'
}

/**
 * The text of a string or number; null for anything else, and for numbers that were rounded or need an exponent. A
 * binary float holds every decimal of 15 digits exactly enough to be written back as it came.
 */
function plainText(value: unknown): string | null {
  if (typeof value === 'string') return value
  if (typeof value !== 'number') return null
  const text = String(value)
  const digits = text.replace(/^-|\./g, '').replace(/^0+/, '')
  return /^-?\d+(\.\d+)?$/.test(text) && digits.length <= 15 ? text : null
}

function isEventColumn(name: string): name is EventColumn {
  return KNOWN.has(name)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function fault(reason: RejectReason, field: string | null): JsonFault {
  return { reason, field }
}
