const SPACE = 32
const TAB = 9
const APOSTROPHE = 39

/** First position in `[start, end)` that is no blank or tab; `end` when all are. */
export function trimStart(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++
  return at
}

/** Position after the last byte in `[start, end)` that is no blank or tab; `start` when all are. */
export function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end
  while (at > start && (bytes[at - 1] === SPACE || bytes[at - 1] === TAB)) at--
  return at
}

/** Is there an ASCII control character in the bytes? */
export function hasControl(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    if (bytes[at]! < SPACE || bytes[at] === 127) return true
  }
  return false
}

/** 1 when our export put a quote mark before the text against formulas, else 0: the domain's `restoreFormula`. */
export function formulaShift(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end || bytes[start] !== APOSTROPHE) return 0
  let at = start + 1
  while (at < end && bytes[at] === APOSTROPHE) at++
  if (at === end) return 0
  const byte = bytes[at]!
  // = + - @ tab CR
  return byte === 61 || byte === 43 || byte === 45 || byte === 64 || byte === TAB || byte === 13
    ? 1
    : 0
}
