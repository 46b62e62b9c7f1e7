/**
 * Why a row of usage can be refused: stable public codes, each with a message that says what to do.
 *
 * Codes are part of the contract (rejects lists, reject files, `results` of `POST /v1/events`):
 * add, never rename.
 */
export const REJECT_REASONS = {
  missing_customer_id: 'The row names no customer. Fill in customer_id.',
  invalid_customer_id: 'customer_id holds control characters. Remove them.',
  customer_id_too_long: 'customer_id is longer than 255 bytes. Use a shorter id.',
  missing_event_type: 'The row has no event_type. Fill it in.',
  invalid_event_type: 'event_type holds control characters. Remove them.',
  event_type_too_long: 'event_type is longer than 255 bytes. Use a shorter name.',
  missing_event_id: 'The row has no event_id. Fill it in, or upload with event_id=derive.',
  invalid_event_id: 'event_id holds control characters. Remove them.',
  event_id_too_long: 'event_id is longer than 255 bytes. Use a shorter id.',
  missing_event_date: 'The row has no event_date. Say when the event happened.',
  invalid_event_date:
    'event_date is not a date that exists. Write it like 2026-03-01T00:01:11.055Z or 2026-03-01 00:01:11+00.',
  date_without_such_local_time:
    'event_date does not exist in the time zone: clocks were put forward over it. Correct it, or give its offset.',
  event_date_out_of_range:
    'event_date is before 1970 or more than one day ahead. Correct it, or upload with future=allow.',
  invalid_quantity:
    'quantity is not a plain decimal. Write it like 12 or -0.5: no exponent, no separators, no units.',
  quantity_too_precise: 'quantity has more than 18 digits or 12 decimal places. Round it.',
  invalid_unit_price:
    'unit_price is not a plain decimal. Write it like 0.15: no exponent, no separators, no currency sign.',
  unit_price_too_precise: 'unit_price has more than 18 digits or 12 decimal places. Round it.',
  invalid_customer_name: 'customer_name holds a NUL character. Remove it.',
  customer_name_too_long: 'customer_name is longer than 255 bytes. Use a shorter name.',
  too_many_properties: 'The event has more than 64 properties. Send fewer.',
  missing_property_name: 'A property has no name. Name it, or leave it out.',
  property_name_too_long: 'The name of a property is longer than 100 bytes. Use a shorter name.',
  reserved_property_name: 'A property has the name of one of our own columns. Rename it.',
  invalid_property_name: 'The name of a property holds control characters. Remove them.',
  duplicate_property: 'A property is given twice. Give it once.',
  property_too_long: 'The value of a property is longer than 8 KiB. Shorten it.',
  invalid_property: 'The value of a property holds a NUL character. Remove it.',
  nested_property:
    'A property is an object or a list. Properties are flat: send text, a number or a boolean.',
  value_without_header:
    'A cell of a column without a header is not empty. Name the column, or empty the cell.',
  too_few_cells: 'The row has fewer cells than the header. Check its delimiters and quotes.',
  too_many_cells: 'The row has more cells than the header. Quote cells that hold the delimiter.',
  unclosed_quote: 'A quoted cell is never closed. Close it, or double the quote.',
  text_after_quote: 'Text follows a closing quote. Double the quotes inside a quoted cell.',
  row_too_long: 'The row is longer than 1 MiB. Split or shorten it.',
  invalid_encoding:
    'The row is not valid text in the encoding of the file. Save the file as UTF-8.',
  invalid_json: 'The line is not valid JSON. Write one JSON object on each line.',
  not_an_object: 'An event is a JSON object. Send one.',
  invalid_field: 'A field has the wrong type. Send text, or a number for quantity and unit_price.',
} as const

export type RejectReason = keyof typeof REJECT_REASONS

/** A value that breaks a rule; `reason` is the code a client sees. */
export interface FieldFault {
  readonly reason: RejectReason
}

/** Tells a fault from a parsed value. */
export function isFault(result: object): result is FieldFault {
  return 'reason' in result
}

/** What to tell the sender of a row that was refused for `reason`. */
export function rejectMessage(reason: RejectReason): string {
  return REJECT_REASONS[reason]
}
