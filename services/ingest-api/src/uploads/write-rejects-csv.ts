import type { Writable } from 'node:stream'
import type { Sql } from '@billtrail/platform'
import { listRejects, type RejectRow } from './rejects.repo'
import type { UploadRow } from './uploads.repo'

const PAGE = 1_000
const HEADERLESS = 'customer_id,event_type,event_id,event_date'

const cell = (text: string): string =>
  /[",;|\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text

/** How a reject file is laid out: as the file it comes from, or for JSON a cell that holds the event. */
interface Layout {
  readonly delimiter: string
  readonly header: string
  readonly rowCells: (row: Buffer) => Buffer
}

function layoutOf({ options }: UploadRow): Layout {
  if (options.delimiter === undefined) {
    const rowCells = (row: Buffer) => Buffer.from(cell(row.toString('utf8')))
    return { delimiter: ',', header: 'row', rowCells }
  }
  return {
    delimiter: options.delimiter,
    header: options.header ?? HEADERLESS.replaceAll(',', options.delimiter),
    rowCells: (row) => row,
  }
}

/** Our own columns are appended in the file's own dialect. */
function csvLine(row: RejectRow, { delimiter, rowCells }: Layout): Buffer {
  const ours = ['', row.line, cell(row.column_name ?? ''), row.reason]
  return Buffer.concat([rowCells(row.row), Buffer.from(`${ours.join(delimiter)}\n`)])
}

/**
 * Writes the rejected rows as they came plus `line`, `column`, `reason`: ready to correct and send again. Rows of a
 * JSON file are cells of a CSV, to be read by people.
 */
export async function writeRejectsCsv(sql: Sql, upload: UploadRow, out: Writable): Promise<void> {
  const layout = layoutOf(upload)
  const write = (bytes: Buffer | string) =>
    new Promise<void>((resolve, reject) => {
      out.write(bytes, (error) => (error ? reject(error) : resolve()))
    })
  await write(`${[layout.header, 'line', 'column', 'reason'].join(layout.delimiter)}\n`)
  let after: number | undefined
  for (;;) {
    const rows = await listRejects(sql, upload.upload_no, { limit: PAGE - 1, after })
    if (rows.length > 0) await write(Buffer.concat(rows.map((row) => csvLine(row, layout))))
    if (rows.length < PAGE) break
    after = rows.at(-1)!.line
  }
  out.end()
}
