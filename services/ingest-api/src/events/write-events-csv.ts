import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { neutraliseFormula } from '@billtrail/domain'
import { format } from 'fast-csv'
import type { EventRow, ExportSource } from './events.repo'

const COLUMNS = ['customer_id', 'event_type', 'event_id', 'event_date', 'quantity', 'unit_price']

/** Text cells are neutralised; dates and numbers cannot be formulas and stay as they are. */
function cells(row: EventRow, propertyNames: readonly string[]): string[] {
  return [
    neutraliseFormula(row.customer_id),
    neutraliseFormula(row.event_type),
    neutraliseFormula(row.event_id),
    row.event_date,
    row.quantity,
    row.unit_price ?? '',
    ...propertyNames.map((name) => neutraliseFormula(row.properties?.[name] ?? '')),
  ]
}

/** Writes events as a file that can be uploaded again and then brings nothing new. */
export async function writeEventsCsv(source: ExportSource, out: Writable): Promise<void> {
  const csv = format({ includeEndRowDelimiter: true })
  csv.pipe(out)
  const gone = once(out, 'close')
  csv.write([...COLUMNS, ...source.propertyNames.map(neutraliseFormula)])
  for await (const rows of source.pages) {
    let hasRoom = true
    for (const row of rows) hasRoom = csv.write(cells(row, source.propertyNames))
    if (out.destroyed) return
    if (!hasRoom) await Promise.race([once(csv, 'drain'), gone])
  }
  csv.end()
  await gone
}
