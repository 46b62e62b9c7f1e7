import { compareHstoreNames } from '@billtrail/db'

/**
 * Which cell of a row is what. Made once per file (CSV) or per set of fields (JSON); cell numbers are -1 where there
 * is no such cell.
 */
export interface ColumnPlan {
  /** The name of each cell as the sender wrote it, for rejects. */
  readonly names: readonly string[]
  readonly customerId: number
  readonly eventType: number
  readonly eventId: number
  readonly eventDate: number
  readonly quantity: number
  readonly unitPrice: number
  readonly customerName: number
  /** In the order in which hstore keeps them, so that equal properties are equal bytes, and nothing is left to sort. */
  readonly properties: readonly PropertyColumn[]
  /** Cells under an empty header: they must be empty. */
  readonly unnamed: readonly number[]
  /** Do texts come from a spreadsheet, with formulas neutralised? */
  readonly restoreFormulas: boolean
  /** Are quantity, price and properties all absent, so that tails are the default one? */
  readonly plain: boolean
  /** Bytes that all properties take in a tail beside their values: names and lengths. */
  readonly nameBytes: number
}

export interface PropertyColumn {
  readonly cell: number
  /** The name behind its length in four bytes, as hstore is sent. */
  readonly key: Buffer
}

export interface PlannedCells {
  readonly names: readonly string[]
  /** Cell numbers by our column name. */
  readonly known: Readonly<Partial<Record<string, number>>>
  readonly properties: readonly { readonly name: string; readonly cell: number }[]
  readonly unnamed?: readonly number[]
  readonly restoreFormulas: boolean
}

/** Completes a plan from the cells that were found. */
export function columnPlan({
  names,
  known,
  properties,
  unnamed = [],
  restoreFormulas,
}: PlannedCells): ColumnPlan {
  const cell = (column: string): number => known[column] ?? -1
  const columns = properties
    .map(({ name, cell }) => ({ cell, bytes: Buffer.from(name) }))
    .sort((a, b) => compareHstoreNames(a.bytes, b.bytes))
    .map(({ cell, bytes }): PropertyColumn => ({ cell, key: afterLength(bytes) }))
  return {
    names,
    customerId: cell('customer_id'),
    eventType: cell('event_type'),
    eventId: cell('event_id'),
    eventDate: cell('event_date'),
    quantity: cell('quantity'),
    unitPrice: cell('unit_price'),
    customerName: cell('customer_name'),
    properties: columns,
    unnamed,
    restoreFormulas,
    plain: cell('quantity') < 0 && cell('unit_price') < 0 && columns.length === 0,
    nameBytes: columns.reduce((bytes, { key }) => bytes + key.length + 4, 0),
  }
}

function afterLength(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
