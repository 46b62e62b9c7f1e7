import { EVENT_LIMITS } from '@billtrail/domain'
import { type HeaderOptions, headerScore } from './csv-header'
import type { ByteWindow } from './byte-window'
import { CELLS_KEPT, type RowCells, cellText } from './row-cells'
import { INCOMPLETE, ROW, byteKinds, splitRow } from './split-row'

const CANDIDATES = [',', ';', '\t', '|'] as const
export type Delimiter = (typeof CANDIDATES)[number]

/**
 * The delimiter under which the first row, at the window's start, has the most columns that we know, then the most
 * cells; a comma when nothing tells. Null when the row's end has not been seen yet.
 */
export function detectDelimiter(
  window: ByteWindow,
  cells: RowCells,
  options: HeaderOptions,
): Delimiter | null {
  let best: Delimiter = ','
  let bestScore = -1
  for (const delimiter of CANDIDATES) {
    const kinds = byteKinds(delimiter.charCodeAt(0))
    const outcome = splitRow(cells, kinds, window.bytes, window.start, window.end, window.final)
    if (outcome === INCOMPLETE && window.size <= EVENT_LIMITS.rowBytes) return null
    if (outcome !== ROW) continue
    const score =
      headerScore(rowTexts(cells), options) * CELLS_KEPT + Math.min(cells.count, CELLS_KEPT - 1)
    if (score <= bestScore) continue
    best = delimiter
    bestScore = score
  }
  return best
}

/** The cells of a row as text. */
export function rowTexts(cells: RowCells): string[] {
  return Array.from({ length: Math.min(cells.count, CELLS_KEPT) }, (_, cell) =>
    cellText(cells, cell),
  )
}
