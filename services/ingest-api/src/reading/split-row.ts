import { CELLS_KEPT, type RowCells } from './row-cells'

/** What splitting found: a whole row, a row that goes on beyond the bytes at hand, or broken quoting. */
export const ROW = 0
export const INCOMPLETE = 1
export const UNCLOSED_QUOTE = 2
export const TEXT_AFTER_QUOTE = 3
export type SplitOutcome = 0 | 1 | 2 | 3

export const LF = 10
export const CR = 13
const TAB = 9
const SPACE = 32
const QUOTE = 34

const PLAIN = 0
const DELIMITER = 1
const LINE_END = 2
const QUOTE_MARK = 3
const CONTROL = 4

/** The kind of every byte in a dialect. Bytes above 127 are plain: UTF-8 is checked elsewhere. */
export function byteKinds(delimiter: number): Uint8Array {
  const kinds = new Uint8Array(256)
  kinds.fill(CONTROL, 0, SPACE)
  kinds[127] = CONTROL
  kinds[LF] = LINE_END
  kinds[CR] = LINE_END
  kinds[QUOTE] = QUOTE_MARK
  kinds[delimiter] = DELIMITER
  return kinds
}

/**
 * Cuts the row that begins at `from` into cells, by RFC 4180: a cell that begins with a quote (blanks before it are
 * skipped) may hold delimiters, line ends and doubled quotes; a quote elsewhere is text. A row ends with LF, CRLF
 * or CR, or where the input does.
 *
 * `bytes[to]` must be an LF that the caller put there: it stops every loop, so that none has to look for the end.
 * `final` says that nothing follows `to`.
 */
export function splitRow(
  cells: RowCells,
  kinds: Uint8Array,
  bytes: Uint8Array,
  from: number,
  to: number,
  final: boolean,
): SplitOutcome {
  beginRow(cells, bytes)
  let anyDoubled = false
  let start = from
  /** Where the closing quote of the current cell is, -1 when the cell has no quotes. */
  let closing = -1
  let at = from

  for (;;) {
    let kind = kinds[bytes[at]!]!
    while (kind === PLAIN) kind = kinds[bytes[++at]!]!

    if (kind === DELIMITER) {
      addCell(cells, start, closing < 0 ? at : closing)
      start = ++at
      closing = -1
    } else if (kind === LINE_END) {
      if (!endRow(cells, at, to, final)) return INCOMPLETE
      addCell(cells, start, closing < 0 ? at : closing)
      if (anyDoubled) undoubleQuotes(cells)
      return ROW
    } else if (kind === QUOTE_MARK && onlyBlanks(bytes, start, at)) {
      start = at + 1
      closing = closingQuote(cells, kinds, start, to)
      if (closing < 0) return final ? UNCLOSED_QUOTE : INCOMPLETE
      if (cells.doubling) anyDoubled = true
      at = closing + 1
      while (bytes[at] === SPACE || (bytes[at] === TAB && kinds[TAB] === CONTROL)) at++
      kind = kinds[bytes[at]!]!
      if (kind !== DELIMITER && kind !== LINE_END) {
        cells.end = at
        return TEXT_AFTER_QUOTE
      }
    } else {
      if (kind === CONTROL) cells.controls = true
      at++
    }
  }
}

function beginRow(cells: RowCells, bytes: Uint8Array): void {
  cells.count = 0
  cells.lines = 1
  cells.controls = false
  cells.quoted = false
  cells.open = false
  cells.doubling = false
  cells.bytes = bytes
}

function addCell(cells: RowCells, start: number, end: number): void {
  const cell = cells.count++
  if (cell >= CELLS_KEPT) return
  cells.starts[cell] = start
  cells.ends[cell] = end
  cells.doubled[cell] = cells.doubling ? 1 : 0
  cells.doubling = false
}

/** Ends the row at the line end `at`; false when more bytes must be seen first. */
function endRow(cells: RowCells, at: number, to: number, final: boolean): boolean {
  const { bytes } = cells
  if (!final && (at === to || (bytes[at] === CR && at + 1 === to))) {
    cells.end = to
    return false
  }
  cells.end = at
  cells.next =
    at === to ? to : bytes[at] === CR && bytes[at + 1] === LF && at + 1 < to ? at + 2 : at + 1
  return true
}

function onlyBlanks(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== SPACE && bytes[at] !== TAB) return false
  }
  return true
}

/** The position of the quote that closes the cell, or -1 when it is not among the bytes before `to`. */
function closingQuote(cells: RowCells, kinds: Uint8Array, from: number, to: number): number {
  const { bytes } = cells
  cells.quoted = true
  let at = from
  for (;;) {
    const kind = kinds[bytes[at]!]!
    if (kind === QUOTE_MARK) {
      // Whether the last byte at hand closes the cell or begins a doubled quote is for the next byte to say; at the
      // end of the input the caller's LF says that it closes.
      if (bytes[at + 1] !== QUOTE) return at
      cells.doubling = true
      at += 2
      continue
    }
    if (kind === LINE_END) {
      if (at === to) {
        cells.end = to
        cells.open = true
        return -1
      }
      cells.controls = true
      if (bytes[at] === LF || bytes[at + 1] !== LF) cells.lines++
    } else if (kind === CONTROL) {
      cells.controls = true
    }
    at++
  }
}

/** Copies the row's cells to a buffer of their own, each doubled quote as one. */
function undoubleQuotes(cells: RowCells): void {
  const { bytes, starts, ends, doubled } = cells
  const kept = Math.min(cells.count, CELLS_KEPT)
  const room = ends[kept - 1]! - starts[0]!
  if (cells.unquoted.length < room) cells.unquoted = Buffer.allocUnsafeSlow(2 * room)
  const out = cells.unquoted
  let to = 0
  for (let cell = 0; cell < kept; cell++) {
    const end = ends[cell]!
    const start = to
    for (let at = starts[cell]!; at < end; at++) {
      out[to++] = bytes[at]!
      if (doubled[cell] === 1 && bytes[at] === QUOTE) at++
    }
    starts[cell] = start
    ends[cell] = to
  }
  cells.bytes = out
}
