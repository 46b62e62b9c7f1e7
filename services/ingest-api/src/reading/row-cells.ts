import { EVENT_LIMITS } from '@billtrail/domain'

/**
 * One row cut into cells, reused for every row.
 *
 * Cell `i < min(count, limit)` is `bytes[starts[i] .. ends[i])`, without its quotes. `bytes` is the reader's window
 * or, where doubled quotes had to be undone, `unquoted`.
 */
export interface RowCells {
  bytes: Uint8Array
  count: number
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** 1 for a cell that holds doubled quotes. */
  readonly doubled: Uint8Array
  /** Does the row hold a control character other than its delimiters and line ends, or a line end in quotes? */
  controls: boolean
  /** Where the row ends in the window, without its line end; where the fault was seen when it has one. */
  end: number
  /** Where the next row begins. */
  next: number
  /** Lines of the file the row takes, at least 1. */
  lines: number
  /** Does any cell have quotes? */
  quoted: boolean
  /** Did the bytes at hand end inside quotes? */
  open: boolean
  /** Did the last quoted cell hold doubled quotes? */
  doubling: boolean
  unquoted: Buffer
}

/** Cells that are kept of a row; more are only counted. One more than allowed, so that excess shows. */
export const CELLS_KEPT = EVENT_LIMITS.columns + 1

/** Room for the cells of one row. */
export function createRowCells(): RowCells {
  return {
    bytes: Buffer.alloc(0),
    count: 0,
    starts: new Int32Array(CELLS_KEPT),
    ends: new Int32Array(CELLS_KEPT),
    doubled: new Uint8Array(CELLS_KEPT),
    controls: false,
    end: 0,
    next: 0,
    lines: 1,
    quoted: false,
    open: false,
    doubling: false,
    unquoted: Buffer.alloc(0),
  }
}

/** The text of a cell; only for headers, faults and rare values. */
export function cellText(cells: RowCells, cell: number): string {
  const { bytes, starts, ends } = cells
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    'utf8',
    starts[cell],
    ends[cell],
  )
}
