/**
 * Spreadsheets run a cell that begins with `=`, `+`, `-` or `@` (or a tab or line end before one) as a formula.
 * Our exports put a quote mark before such text; a text that already looks so gets one more. Reading takes exactly
 * one away, so that every text comes back as it was. Dates and numbers are left alone: they can't be formulas.
 */
export function neutraliseFormula(text: string): string {
  return /^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text
}

/** The text that `neutraliseFormula` was given. */
export function restoreFormula(text: string): string {
  return /^'+[=+\-@\t\r]/.test(text) ? text.slice(1) : text
}
