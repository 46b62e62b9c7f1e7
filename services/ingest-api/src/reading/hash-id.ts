import { hash } from 'node:crypto'

/**
 * The key of an id that is not its own key, as the domain's `eventKeyBytes` defines it: the first 16 bytes of
 * SHA-256 of `event_id:` and the id, with version 8 and the variant bits set.
 *
 * Ids up to 46 bytes fit into one block of SHA-256 and are hashed here: Node's own hash takes about 2 µs for each, about
 * twice as long, nearly all of it for crossing into C++. Longer ids go to Node.
 */
export function hashId(
  bytes: Uint8Array,
  start: number,
  end: number,
  key: Uint32Array,
  at: number,
): void {
  if (end - start > ONE_BLOCK - PREFIX.length) {
    const id = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start)
    setKey(hash('sha256', Buffer.concat([PREFIX, id]), 'hex'), key, at)
    return
  }
  loadBlock(bytes, start, end)
  compress()
  key[at] = INITIAL[0]! + state[0]!
  key[at + 1] = INITIAL[1]! + state[1]!
  key[at + 2] = INITIAL[2]! + state[2]!
  key[at + 3] = INITIAL[3]! + state[3]!
  markAsHash(key, at)
}

/** The key of an event without an id: SHA-256 of all that makes its content, in the form of hashed keys. */
export function hashContent(content: Uint8Array, key: Uint32Array, at: number): void {
  setKey(hash('sha256', content, 'hex'), key, at)
}

function setKey(hex: string, key: Uint32Array, at: number): void {
  for (let word = 0; word < 4; word++)
    key[at + word] = Number.parseInt(hex.slice(8 * word, 8 * word + 8), 16)
  markAsHash(key, at)
}

/** Version 8, variant of RFC 9562: no id that is its own key looks like this. */
function markAsHash(key: Uint32Array, at: number): void {
  key[at + 1] = (key[at + 1]! & 0xffff0fff) | 0x8000
  key[at + 2] = (key[at + 2]! & 0x3fffffff) | 0x80000000
}

const PREFIX = Buffer.from('event_id:')
/** Bytes of a message that fit into one 64-byte block, beside the end mark and the length. */
const ONE_BLOCK = 55

/** FIPS 180-4: the first 32 bits of the fractional parts of roots of the first primes. */
const PRIMES = Array.from({ length: 312 }, (_, i) => i).filter((n) => n > 1 && !hasDivisor(n))
const INITIAL = Int32Array.from(PRIMES.slice(0, 8), (prime) => fractionBits(Math.sqrt(prime)))
const ROUND = Int32Array.from(PRIMES.slice(0, 64), (prime) => fractionBits(Math.cbrt(prime)))

const schedule = new Int32Array(64)
const state = new Int32Array(4)
const block = new Uint8Array(64)

function hasDivisor(n: number): boolean {
  for (let d = 2; d * d <= n; d++) if (n % d === 0) return true
  return false
}

function fractionBits(root: number): number {
  return Math.floor((root - Math.floor(root)) * 2 ** 32)
}

/** Prefix, id, end mark and length in bits. */
function loadBlock(bytes: Uint8Array, start: number, end: number): void {
  block.fill(0)
  block.set(PREFIX)
  let to = PREFIX.length
  for (let from = start; from < end; from++) block[to++] = bytes[from]!
  block[to] = 0x80
  block[62] = to >> 5
  block[63] = to << 3
  for (let word = 0; word < 16; word++) {
    const i = 4 * word
    schedule[word] =
      (block[i]! << 24) | (block[i + 1]! << 16) | (block[i + 2]! << 8) | block[i + 3]!
  }
}

/** The rounds of FIPS 180-4 §6.2.2 over one block; `state` gets the first four working variables. */
function compress(): void {
  for (let t = 16; t < 64; t++) {
    const x = schedule[t - 15]!
    const y = schedule[t - 2]!
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3)
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10)
    schedule[t] = schedule[t - 16]! + s0 + schedule[t - 7]! + s1
  }
  let a = INITIAL[0]!
  let b = INITIAL[1]!
  let c = INITIAL[2]!
  let d = INITIAL[3]!
  let e = INITIAL[4]!
  let f = INITIAL[5]!
  let g = INITIAL[6]!
  let h = INITIAL[7]!
  for (let t = 0; t < 64; t++) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUND[t]! + schedule[t]!) | 0
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g
    g = f
    f = e
    e = (d + t1) | 0
    d = c
    c = b
    b = a
    a = (t1 + t2) | 0
  }
  state[0] = a
  state[1] = b
  state[2] = c
  state[3] = d
}
