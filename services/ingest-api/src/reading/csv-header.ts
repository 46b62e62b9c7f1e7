import {
  DomainError,
  EVENT_COLUMNS,
  EVENT_LIMITS,
  type EventDateOptions,
  IGNORED_COLUMNS,
  isFault,
  parseEventDate,
  propertyNameFault,
  rejectMessage,
  restoreFormula,
} from '@billtrail/domain'
import { type ColumnPlan, columnPlan } from './column-plan'

const HEADERLESS = ['customer_id', 'event_type', 'event_id', 'event_date']
const OURS: ReadonlySet<string> = new Set<string>([...EVENT_COLUMNS, ...IGNORED_COLUMNS])

export interface HeaderOptions {
  /** Foreign headers by our column. */
  readonly columns: Readonly<Record<string, string>>
  readonly deriveIds: boolean
  readonly dates: EventDateOptions
}

/** How well the cells of a first row fit: known columns, or 4 for a headerless row. Ranks delimiters. */
export function headerScore(cells: readonly string[], options: HeaderOptions): number {
  if (isHeaderless(cells, options)) return HEADERLESS.length
  const foreign = new Set(Object.values(options.columns).map(normal))
  return cells.filter((cell) => OURS.has(normal(cell)) || foreign.has(normal(cell))).length
}

/** Is the first row data already? Four cells, none of them a column's name, the last one a date. */
export function isHeaderless(cells: readonly string[], options: HeaderOptions): boolean {
  if (cells.length !== HEADERLESS.length || Object.keys(options.columns).length > 0) return false
  if (cells.some((cell) => OURS.has(normal(cell)))) return false
  const date = parseEventDate(cells[3]!, options.dates)
  return !isFault(date) || date.reason === 'event_date_out_of_range'
}

/** The plan of a headerless file. */
export function headerlessPlan(): ColumnPlan {
  return columnPlan({
    names: HEADERLESS,
    known: Object.fromEntries(HEADERLESS.map((name, cell) => [name, cell])),
    properties: [],
    restoreFormulas: true,
  })
}

/**
 * The plan of a file with this header. Our columns are found in any case and order, or under the name that
 * `columns` gives; every other header is a property.
 *
 * Throws DomainError `too_many_columns`, `unknown_column`, `missing_columns`, `duplicate_columns`,
 * `invalid_column_name`.
 */
export function headerPlan(header: readonly string[], options: HeaderOptions): ColumnPlan {
  if (header.length > EVENT_LIMITS.columns) {
    throw new DomainError(
      'invalid',
      'too_many_columns',
      `The header has ${header.length} columns; at most ${EVENT_LIMITS.columns} are read.`,
    )
  }
  // Exports neutralise formulas in names too.
  const names = header.map((cell) => restoreFormula(cell.trim()))
  const known = mappedCells(names, options)
  const taken = new Set(Object.values(known))
  const properties: { name: string; cell: number }[] = []
  const unnamed: number[] = []
  const seen = new Set<string>()

  for (const [cell, name] of names.entries()) {
    const column = normal(name)
    if (name === '') unnamed.push(cell)
    else if (taken.has(cell) || isIgnored(column)) continue
    else if (!OURS.has(column)) properties.push({ name, cell })
    else if (known[column] === undefined) known[column] = cell
    else throw duplicateColumn(name)
    if (name !== '' && seen.has(name)) throw duplicateColumn(name)
    seen.add(name)
  }
  checkNeeded(known, names, options)
  for (const { name } of properties) {
    const fault = propertyNameFault(name)
    if (fault === null) continue
    throw new DomainError(
      'invalid',
      'invalid_column_name',
      `Column ${JSON.stringify(name)}: ${rejectMessage(fault.reason)}`,
    )
  }
  return columnPlan({ names, known, properties, unnamed, restoreFormulas: true })
}

/** The cells that `columns` names, by our column. */
function mappedCells(names: readonly string[], { columns }: HeaderOptions): Record<string, number> {
  const known: Record<string, number> = {}
  const missing: string[] = []
  for (const [column, header] of Object.entries(columns)) {
    if (!(EVENT_COLUMNS as readonly string[]).includes(column)) {
      throw new DomainError(
        'invalid',
        'unknown_column',
        `There is no column ${column} to map to. There are ${EVENT_COLUMNS.join(', ')}.`,
      )
    }
    const exact = names.filter((name) => name === header.trim())
    const alike = exact.length > 0 ? exact : names.filter((name) => normal(name) === normal(header))
    if (alike.length > 1) throw duplicateColumn(header)
    if (alike.length === 0) missing.push(header)
    else known[column] = names.indexOf(alike[0]!)
  }
  if (missing.length > 0) throw missingColumns(missing, names)
  return known
}

function checkNeeded(
  known: Readonly<Record<string, number>>,
  names: readonly string[],
  { deriveIds }: HeaderOptions,
): void {
  const needed = deriveIds ? HEADERLESS.filter((column) => column !== 'event_id') : HEADERLESS
  const missing = needed.filter((column) => known[column] === undefined)
  if (missing.length > 0) throw missingColumns(missing, names)
}

function missingColumns(missing: readonly string[], names: readonly string[]): DomainError {
  return new DomainError(
    'invalid',
    'missing_columns',
    `The file has no column ${missing.join(', ')}. Its first row is: ${names.join(', ').slice(0, 500)}. ` +
      'Rename the headers, or map them with ?columns=customer_id:YourHeader,…',
    missing.map((column) => ({ field: column, message: 'This column is missing.' })),
  )
}

function duplicateColumn(name: string): DomainError {
  return new DomainError(
    'invalid',
    'duplicate_columns',
    `The column ${name} is there twice. Keep one.`,
  )
}

function isIgnored(column: string): boolean {
  return (IGNORED_COLUMNS as readonly string[]).includes(column)
}

function normal(name: string): string {
  return name.trim().toLowerCase()
}
