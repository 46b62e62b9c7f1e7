/**
 * The reading room: from the bytes of an upload to binary COPY rows.
 *
 * It owns formats, dialects, field rules at byte speed, interning, sorting and COPY encoding. It does not own HTTP,
 * SQL, or what happens to an event once it is stored.
 *
 *   const reader = createCsvReader({ ...options, onReject })
 *   reader.write(chunk)
 *   while (reader.fill(batch)) {
 *     // number reader.customers.unnumbered() and reader.eventTypes.unnumbered(), with setNumber(index, number)
 *     const { order, again } = sortBatch(batch, reader.customers.numbers)
 *     for (const bytes of encodeCopy(batch, order, { eventTypeNumbers, uploadNo })) await write(bytes)
 *     clearBatch(batch)
 *   }
 */
export {
  type EventBatch,
  clearBatch,
  createBatch,
  customerNoOf,
  isDerived,
  isFull,
  isPlain,
  keyOffset,
  keyText,
  lineOf,
} from './event-batch'
export { type NameTable, type NameTableBounds, createNameTable } from './name-table'
export type {
  AppendOptions,
  FileLayout,
  ReadCounts,
  ReaderOptions,
  RejectedRow,
  UsageReader,
} from './usage-reader'
export { createCsvReader } from './csv-reader'
export { createJsonReader } from './json-reader'
export { createNdjsonReader } from './ndjson-reader'
export { type EventFields, type JsonEvent, type JsonFault, eventFromJson } from './event-from-json'
export { parseExactJson } from './parse-exact-json'
export {
  type EventAppender,
  type FieldRefusal,
  type LearnedShapes,
  createEventAppender,
} from './append-event'
export { type SortedBatch, fileOrder, sortBatch } from './sort-batch'
export { COPY_HEADER, COPY_TRAILER } from './binary-format'
export {
  COPY_COLUMNS,
  type CopyOptions,
  PLAIN_COPY_COLUMNS,
  encodeCopy,
} from './encode-copy'
export { CUSTOMER_COLUMNS, encodeCustomers, encodeIds } from './encode-customers'
export { RUN_COLUMNS, RUN_ROWS_MAX, encodeRuns, findRuns } from './encode-runs'
export { findGroups } from './find-groups'
export { CLAIM_COLUMNS, KEY_COLUMNS, encodeClaims, encodeKeys } from './encode-keys'
export { type ComparedRows, STORED_COLUMNS, createStoredComparison } from './compare-stored'
