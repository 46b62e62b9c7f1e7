const LENGTH = 36

/** Value of each byte as a hex digit in lower case; 255 for a byte that is none. */
const NIBBLE = new Uint8Array(256).fill(255)
for (const [value, digit] of Buffer.from('0123456789abcdef').entries()) NIBBLE[digit] = value

/**
 * Reads an id that is its own key (`isOwnKey` of the domain: a UUID in lower case, version not 8) into the four
 * words at `key[at]`. False for any other id; the words then mean nothing.
 */
export function readUuid(
  bytes: Uint8Array,
  start: number,
  end: number,
  key: Uint32Array,
  at: number,
): boolean {
  if (
    end - start !== LENGTH ||
    bytes[start + 8] !== 45 ||
    bytes[start + 13] !== 45 ||
    bytes[start + 18] !== 45 ||
    bytes[start + 23] !== 45 ||
    bytes[start + 14] === 56
  ) {
    return false
  }
  const a = fourDigits(bytes, start)
  const b = fourDigits(bytes, start + 4)
  const c = fourDigits(bytes, start + 9)
  const d = fourDigits(bytes, start + 14)
  const e = fourDigits(bytes, start + 19)
  const f = fourDigits(bytes, start + 24)
  const g = fourDigits(bytes, start + 28)
  const h = fourDigits(bytes, start + 32)
  if ((a | b | c | d | e | f | g | h) > 0xffff) return false
  key[at] = (a << 16) | b
  key[at + 1] = (c << 16) | d
  key[at + 2] = (e << 16) | f
  key[at + 3] = (g << 16) | h
  return true
}

/** Four hex digits as a number; above 0xffff when one of them is none. */
function fourDigits(bytes: Uint8Array, at: number): number {
  const a = NIBBLE[bytes[at]!]!
  const b = NIBBLE[bytes[at + 1]!]!
  const c = NIBBLE[bytes[at + 2]!]!
  const d = NIBBLE[bytes[at + 3]!]!
  return (a << 12) | (b << 8) | (c << 4) | d | ((a | b | c | d) > 15 ? 0x10000 : 0)
}
