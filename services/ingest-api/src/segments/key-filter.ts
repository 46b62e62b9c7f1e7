/**
 * Which keys a sealed segment may hold: a Bloom filter of blocks of 256 bits, each key setting one bit in each of the 8
 * words of one block, so that a look-up touches one line of the processor's cache (Putze, Sanders, Singler 2007,
 * "Cache-, hash- and space-efficient Bloom filters"; the layout is that of Apache Parquet's split block filter). It never says no to a key
 * that was added. Of other keys it says "maybe" to 1 in 300 at 14 bits a key, to 1 in 50 at 9.
 */
export interface KeyFilter {
  /** Blocks of 8 words each. */
  readonly words: Uint32Array
}

/** A key, hashed twice, independently: which block it belongs to, and which bits of it. */
export interface KeyHash {
  place: number
  bits: number
}

const BLOCK_WORDS = 8
const BLOCK_BITS = 32 * BLOCK_WORDS
const TWO_32 = 2 ** 32
/** How often a filter can be folded at least. */
const FOLDS = 12

/** Any odd numbers whose products spread over the high bits. */
const SALTS = Int32Array.of(
  0x47b6137b,
  0x44974d91,
  0x8824ad5b,
  0xa2b7289d,
  0x705495c7,
  0x2df1424b,
  0x9efc4947,
  0x5c6bfb31,
)

/** An empty filter with room for `keys` keys of `bitsPerKey` bits. */
export function createKeyFilter(keys: number, bitsPerKey: number): KeyFilter {
  const step = 2 ** FOLDS
  const blocks = Math.max(1, Math.ceil((keys * bitsPerKey) / BLOCK_BITS / step)) * step
  return { words: new Uint32Array(blocks * BLOCK_WORDS) }
}

const PLACE_SEED = 0x3c6ef372
const BITS_SEED = 0x1b873593

/** Mixing steps of MurmurHash3, which is in the public domain. */
function mix(seed: number, customer: number, words: Uint32Array, at: number): number {
  let mixed = seed ^ customer
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) ^ words[at]!
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) ^ words[at + 1]!
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b) ^ words[at + 2]!
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0xc2b2ae35) ^ words[at + 3]!
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

/** Hashes a customer's number and the UUID whose four words, most significant first, stand at `at`. */
export function hashKey(customer: number, words: Uint32Array, at: number, into: KeyHash): void {
  into.place = mix(PLACE_SEED, customer, words, at) >>> 0
  into.bits = mix(BITS_SEED, customer, words, at)
}

/** Where the key's block begins. By the high bits, so that two neighbouring blocks can become one. */
const blockOf = (words: Uint32Array, { place }: KeyHash): number =>
  BLOCK_WORDS * Math.floor((place * (words.length / BLOCK_WORDS)) / TWO_32)

/** Adds a key. */
export function addKey({ words }: KeyFilter, key: KeyHash): void {
  const block = blockOf(words, key)
  for (let word = 0; word < BLOCK_WORDS; word++) {
    words[block + word]! |= 1 << (Math.imul(key.bits, SALTS[word]!) >>> 27)
  }
}

/** False only when the key was never added. */
export function mayHold({ words }: KeyFilter, key: KeyHash): boolean {
  const block = blockOf(words, key)
  for (let word = 0; word < BLOCK_WORDS; word++) {
    if ((words[block + word]! & (1 << (Math.imul(key.bits, SALTS[word]!) >>> 27))) === 0)
      return false
  }
  return true
}

/** The same filter in half the room, as often as `bitsPerKey` bits are still left for each of its `keys`. */
export function foldKeyFilter(filter: KeyFilter, keys: number, bitsPerKey: number): KeyFilter {
  let { words } = filter
  for (;;) {
    const blocks = words.length / BLOCK_WORDS
    if (blocks % 2 !== 0 || (words.length * 32) / 2 < keys * bitsPerKey) return { words }
    const folded = new Uint32Array(words.length / 2)
    for (let at = 0; at < words.length; at++) {
      const to = BLOCK_WORDS * (at >>> 4) + (at & (BLOCK_WORDS - 1))
      folded[to]! |= words[at]!
    }
    words = folded
  }
}
