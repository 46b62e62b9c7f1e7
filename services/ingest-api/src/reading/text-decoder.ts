/** Turns an upload into UTF-8 without a byte order mark, chunk by chunk. */
export interface TextDecoder8 {
  decode(chunk: Uint8Array): Uint8Array
  end(): Uint8Array
}

const NOTHING = Buffer.alloc(0)
const MARK_BYTES = 4

/**
 * A decoder that finds out the encoding from the first four bytes: a byte order mark, or the zero bytes that
 * UTF-16 text in a Latin alphabet has. UTF-8 passes through unchecked. Bytes that are no UTF-16 become bytes that
 * are no UTF-8, so that the reader rejects the row they are in.
 */
export function createTextDecoder(): TextDecoder8 {
  let first: Buffer | null = NOTHING
  let convert: (chunk: Buffer) => Buffer = (chunk) => chunk
  let finish = (): Buffer => NOTHING

  const begin = (bytes: Buffer): Buffer => {
    first = null
    const encoding = detectEncoding(bytes)
    if (encoding !== 'utf8') ({ convert, finish } = utf16Converter(encoding === 'utf16be'))
    return convert(bytes.subarray(markLength(bytes)))
  }
  return {
    decode(chunk) {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      if (first === null) return convert(bytes)
      first = Buffer.concat([first, bytes])
      return first.length < MARK_BYTES ? NOTHING : begin(first)
    },
    end() {
      const rest = first === null ? NOTHING : begin(first)
      return Buffer.concat([rest, finish()])
    },
  }
}

function detectEncoding(bytes: Buffer): 'utf8' | 'utf16le' | 'utf16be' {
  const [a, b, c, d] = bytes
  if (a === 0xff && b === 0xfe) return 'utf16le'
  if (a === 0xfe && b === 0xff) return 'utf16be'
  if (a !== 0 && b === 0 && c !== 0 && d === 0) return 'utf16le'
  if (a === 0 && b !== 0 && c === 0 && d !== 0) return 'utf16be'
  return 'utf8'
}

function markLength(bytes: Buffer): number {
  const [a, b, c] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return 3
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) ? 2 : 0
}

function utf16Converter(bigEndian: boolean): {
  convert: (chunk: Buffer) => Buffer
  finish: () => Buffer
} {
  let rest = NOTHING
  const convert = (chunk: Buffer): Buffer => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let whole = bytes.length - (bytes.length % 2)
    // A pair of surrogates is read together: the first half waits for the second.
    if (whole > 0 && isHighSurrogate(unitAt(bytes, whole - 2, bigEndian))) whole -= 2
    rest = Buffer.from(bytes.subarray(whole))
    return toUtf8(bytes.subarray(0, whole), bigEndian)
  }
  const finish = (): Buffer => {
    const last = rest.length >= 2 ? toUtf8(rest.subarray(0, 2), bigEndian) : NOTHING
    return rest.length % 2 === 1 ? Buffer.concat([last, Buffer.from([0xff])]) : last
  }
  return { convert, finish }
}

/** A lone surrogate is written as the three bytes it would have, which no UTF-8 check lets pass. */
function toUtf8(bytes: Buffer, bigEndian: boolean): Buffer {
  const out = Buffer.allocUnsafe((bytes.length / 2) * 3)
  let to = 0
  for (let at = 0; at < bytes.length; at += 2) {
    let code = unitAt(bytes, at, bigEndian)
    if (isHighSurrogate(code) && at + 2 < bytes.length) {
      const low = unitAt(bytes, at + 2, bigEndian)
      if (low >= 0xdc00 && low <= 0xdfff) {
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00)
        at += 2
      }
    }
    to = writeCodePoint(out, to, code)
  }
  return out.subarray(0, to)
}

function writeCodePoint(out: Buffer, at: number, code: number): number {
  if (code < 0x80) {
    out[at] = code
    return at + 1
  }
  if (code < 0x800) {
    out[at] = 0xc0 | (code >> 6)
    out[at + 1] = 0x80 | (code & 0x3f)
    return at + 2
  }
  if (code < 0x10000) {
    out[at] = 0xe0 | (code >> 12)
    out[at + 1] = 0x80 | ((code >> 6) & 0x3f)
    out[at + 2] = 0x80 | (code & 0x3f)
    return at + 3
  }
  out[at] = 0xf0 | (code >> 18)
  out[at + 1] = 0x80 | ((code >> 12) & 0x3f)
  out[at + 2] = 0x80 | ((code >> 6) & 0x3f)
  out[at + 3] = 0x80 | (code & 0x3f)
  return at + 4
}

function unitAt(bytes: Buffer, at: number, bigEndian: boolean): number {
  return bigEndian ? (bytes[at]! << 8) | bytes[at + 1]! : bytes[at]! | (bytes[at + 1]! << 8)
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff
}
