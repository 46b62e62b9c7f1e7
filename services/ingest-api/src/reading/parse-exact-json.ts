const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
/** Exponents beyond this are left as they are written; no quantity has so many digits. */
const EXPONENT_MAX = 30

/**
 * Parses JSON with every number as the text it was written as, so that no digit is lost to binary floats: `0.10` is
 * `'0.10'`, `1e-7` is `'0.0000001'`. Throws SyntaxError like JSON.parse.
 */
export function parseExactJson(text: string): unknown {
  return JSON.parse(numbersAsStrings(text))
}

/** The same JSON with each number in quotes. What is no JSON stays no JSON. */
function numbersAsStrings(text: string): string {
  let out = ''
  let copied = 0
  let at = 0
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === 34) {
      at = afterString(text, at)
    } else if (code === 45 || (code >= 48 && code <= 57)) {
      NUMBER.lastIndex = at
      const number = NUMBER.exec(text)?.[0]
      if (number === undefined) return text
      out += `${text.slice(copied, at)}"${withoutExponent(number)}"`
      at += number.length
      copied = at
      // In quotes it would become a valid name of a field.
      if (/^\s*:/.test(text.slice(at, at + 16))) return text
    } else {
      at++
    }
  }
  return out + text.slice(copied)
}

/** The position after the string that opens at `at`, or the end of the text when it never closes. */
function afterString(text: string, at: number): number {
  let close = at
  for (;;) {
    close = text.indexOf('"', close + 1)
    if (close < 0) return text.length
    let slashes = 0
    while (text.charCodeAt(close - 1 - slashes) === 92) slashes++
    if (slashes % 2 === 0) return close + 1
  }
}

function withoutExponent(number: string): string {
  const [mantissa, exponent] = number.toLowerCase().split('e')
  if (exponent === undefined || Math.abs(Number(exponent)) > EXPONENT_MAX) return number
  const sign = mantissa!.startsWith('-') ? '-' : ''
  const [integer, fraction = ''] = mantissa!.slice(sign.length).split('.')
  const digits = integer! + fraction
  const point = integer!.length + Number(exponent)
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  if (point >= digits.length) return sign + digits + '0'.repeat(point - digits.length)
  return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
}
