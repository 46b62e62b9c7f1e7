/** What a binary COPY begins and ends with, around the rows of any number of batches. */
export const COPY_HEADER: Buffer = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1')
export const COPY_TRAILER: Buffer = Buffer.from([0xff, 0xff])

/** PostgreSQL's numbers of types, as they stand before the elements of an array. */
export const INT4 = 23
export const TIMESTAMPTZ = 1184
export const UUID = 2950
export const TEXT = 25
const NUMERIC = 1700
/** That of an extension's type is another in each database; whatever stands here, the server takes the one it expects. */
const HSTORE = 0
/** The types of a tail's fields: quantity, unit_price, event_id, properties. */
export const TAIL_TYPES = [NUMERIC, NUMERIC, TEXT, HSTORE] as const

/** PostgreSQL counts from 2000. */
export const EPOCH_MICROS = Date.UTC(2000, 0, 1) * 1000
/** What the high word of 64 bits counts. */
export const TWO_32 = 2 ** 32

/** Bytes of an array before its elements. */
export const ARRAY_BYTES = 20
/** The same where the array is a field, behind its length. */
export const ARRAY_FIELD_BYTES = 4 + ARRAY_BYTES

/** Begins an array of one dimension that begins at 1. There may be nulls; the server looks for itself. */
export function writeArray(view: DataView, at: number, type: number, elements: number): void {
  view.setInt32(at, 1)
  view.setInt32(at + 4, 1)
  view.setInt32(at + 8, type)
  view.setInt32(at + 12, elements)
  view.setInt32(at + 16, 1)
}

/** Begins a field that is such an array; its elements take `bytes`, their lengths included. */
export function writeArrayField(
  view: DataView,
  at: number,
  type: number,
  { elements, bytes }: { elements: number; bytes: number },
): void {
  view.setInt32(at, ARRAY_BYTES + bytes)
  writeArray(view, at + 4, type, elements)
}
