/** Limits on one event, the same for files and for JSON. Sizes are bytes of UTF-8. */
export const EVENT_LIMITS = {
  customerIdBytes: 255,
  eventIdBytes: 255,
  eventTypeBytes: 255,
  customerNameBytes: 255,
  properties: 64,
  propertyNameBytes: 100,
  propertyValueBytes: 8 * 1024,
  columns: 200,
  rowBytes: 1024 * 1024,
} as const

/** Columns with a meaning of their own. */
export const EVENT_COLUMNS = [
  'customer_id',
  'event_type',
  'event_id',
  'event_date',
  'quantity',
  'unit_price',
  'customer_name',
] as const

export type EventColumn = (typeof EVENT_COLUMNS)[number]

/** Columns of our own reject files; ignored when such a file is corrected and sent again. */
export const IGNORED_COLUMNS = ['line', 'column', 'reason'] as const

const RESERVED: ReadonlySet<string> = new Set<string>([...EVENT_COLUMNS, ...IGNORED_COLUMNS])

/** Is this one of our own column names? Such a name can't be a property's. */
export function isReservedName(name: string): boolean {
  return RESERVED.has(name)
}
