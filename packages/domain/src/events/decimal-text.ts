import type { FieldFault } from './reject-reason'

/** Digits in all, and digits after the point, that a quantity or a price may have. */
export const DECIMAL_DIGITS_MAX = 18
export const DECIMAL_PLACES_MAX = 12

/** Most quantities: canonical as they are. */
const WHOLE = /^[1-9]\d{0,17}$/
const PLAIN_DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?$/

/**
 * Reads a plain decimal: digits with an optional sign and point, blanks around it trimmed. No exponent, no
 * separators, no NaN. Zeros that carry no value don't count towards the limits of 18 digits and 12 places.
 *
 * `text` is canonical, so that equal values have equal texts: `+1.50` → `1.5`, `-0.0` → `0`, `.5` → `0.5`.
 */
export function parseDecimalText(
  field: 'quantity' | 'unit_price',
  text: string,
): { readonly text: string } | FieldFault {
  if (WHOLE.test(text)) return { text }
  const match = PLAIN_DECIMAL.exec(trimBlanks(text))
  const integer = (match?.[2] ?? '').replace(/^0+/, '')
  const written = `${match?.[2] ?? ''}${match?.[3] ?? ''}`
  if (match === null || written === '') return { reason: `invalid_${field}` }

  const fraction = (match[3] ?? '').replace(/0+$/, '')
  const digits =
    integer === '' ? fraction.replace(/^0+/, '').length : integer.length + fraction.length
  if (digits > DECIMAL_DIGITS_MAX || fraction.length > DECIMAL_PLACES_MAX) {
    return { reason: `${field}_too_precise` }
  }
  if (digits === 0) return { text: '0' }

  const sign = match[1] === '-' ? '-' : ''
  return {
    text: `${sign}${integer === '' ? '0' : integer}${fraction === '' ? '' : `.${fraction}`}`,
  }
}

/** Trims blanks and tabs, the only blanks that are not part of a value. */
export function trimBlanks(text: string): string {
  const isTrimmed = !isBlank(text.charCodeAt(0)) && !isBlank(text.charCodeAt(text.length - 1))
  return isTrimmed ? text : text.replace(/^[ \t]+|[ \t]+$/g, '')
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09
