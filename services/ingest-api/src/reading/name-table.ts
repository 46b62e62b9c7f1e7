import { randomInt } from 'node:crypto'
import { sortNames } from './sort-names'

/**
 * Names (customer ids, event types) by their bytes, numbered in the order they were met.
 *
 * Invariants: name `i < size` is `bytes[starts[i] .. starts[i + 1])`; `slots` holds pairs (hash, index + 1) with
 * linear probing, 0 for a free slot, at most half of them taken; `numbers[i]` is the database's number, -1 until
 * it is set. No string is made for a name until someone asks for it. The hash is seeded per table, so that nobody
 * can prepare a file of colliding names.
 */
export interface NameTable {
  readonly size: number
  /** The database's number of each name, -1 where not yet known. The array changes when the table grows. */
  readonly numbers: Int32Array
  /** The index of the name `bytes[start .. end)`, which is added when it is new. */
  intern(bytes: Uint8Array, start: number, end: number): number
  text(index: number): string
  byteLength(index: number): number
  /** Copies the bytes of a name to `out`; answers where they end there. */
  copyBytes(index: number, out: Uint8Array, at: number): number
  /** The names in `[from, to)` that have no number yet, each with the first display name it came with. */
  unnumbered(
    from?: number,
    to?: number,
  ): { readonly index: number; readonly id: string; readonly name: string | null }[]
  /** How many names `handOut` has not handed out yet. */
  readonly waiting: number
  /** The next names to be given a number: `[from, to)`, at most so many, each once. */
  handOut(max: number): { readonly from: number; readonly to: number }
  /** The indexes `[from, to)` in the order of their names' bytes. */
  sorted(from: number, to: number): Uint32Array
  setNumber(index: number, number: number): void
  /** Keeps the first display name that came with the name. */
  describe(index: number, displayName: string): void
  hasDescription(index: number): boolean
  /** The display name of a name without a number, if one came before that was asked for. */
  description(index: number): string | null
  /** Hands over the display names that came only after a number had been asked for, once it is set; each once. */
  takeLateDescriptions(): { readonly id: string; readonly name: string }[]
  /**
   * Forgets everything when the table has outgrown its bounds for batches of so many rows: who has small batches, as one of many
   * uploads, has a small table. Only between batches: indexes start anew.
   */
  resetIfLarge(batchRows: number): void
}

/** For each row of a batch. */
export interface NameTableBounds {
  readonly names: number
  readonly bytes: number
}

/** Few: each request of events has tables of its own. */
const NAMES_AT_FIRST = 128
const BYTES_AT_FIRST = 4 * 1024

const DEFAULT_BOUNDS: NameTableBounds = { names: 4, bytes: 200 }

/** An empty table, forgotten between batches when it outgrows `bounds`. */
export function createNameTable(bounds: NameTableBounds = DEFAULT_BOUNDS): NameTable {
  return new ByteNames(bounds)
}

/** A class because this is the hottest look-up there is: V8 keeps its fields in one fixed shape. */
class ByteNames implements NameTable {
  size = 0
  numbers = new Int32Array(0)
  private bytes = Buffer.alloc(0)
  private starts = new Uint32Array(0)
  private slots = new Int32Array(0)
  private mask = 0
  private numberedUpTo = 0
  private handedOut = 0
  /** Display names of names that nobody has asked a number for. */
  private readonly names = new Map<number, string>()
  /** Those that came later than that, until somebody takes them. */
  private readonly lateNames = new Map<number, string>()
  /** 1 for each name that came with a display name; empty until the first one does. */
  private described = new Uint8Array(0)
  private readonly seed = randomInt(2 ** 31)
  private readonly bounds: NameTableBounds

  constructor(bounds: NameTableBounds) {
    this.bounds = bounds
    this.reset()
  }

  intern(bytes: Uint8Array, start: number, end: number): number {
    let hash = this.seed
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193)
    hash ^= hash >>> 15

    const { slots, mask } = this
    let slot = hash & mask
    for (;;) {
      const found = slots[2 * slot + 1]!
      if (found === 0) return this.add(bytes, start, end, hash, slot)
      if (slots[2 * slot] === hash && this.equals(found - 1, bytes, start, end)) return found - 1
      slot = (slot + 1) & mask
    }
  }

  text(index: number): string {
    return this.bytes.toString('utf8', this.starts[index], this.starts[index + 1])
  }

  byteLength(index: number): number {
    return this.starts[index + 1]! - this.starts[index]!
  }

  copyBytes(index: number, out: Uint8Array, at: number): number {
    const { bytes, starts } = this
    const end = starts[index + 1]!
    let to = at
    for (let from = starts[index]!; from < end; from++) out[to++] = bytes[from]!
    return to
  }

  get waiting(): number {
    return this.size - this.handedOut
  }

  handOut(max: number): { from: number; to: number } {
    const from = this.handedOut
    this.handedOut = Math.min(this.size, from + max)
    return { from, to: this.handedOut }
  }

  sorted(from: number, to: number): Uint32Array {
    return sortNames({ bytes: this.bytes, starts: this.starts }, from, to)
  }

  unnumbered(from = 0, to = this.size): { index: number; id: string; name: string | null }[] {
    while (this.numberedUpTo < this.size && this.numbers[this.numberedUpTo]! >= 0)
      this.numberedUpTo++
    const found: { index: number; id: string; name: string | null }[] = []
    for (let index = Math.max(from, this.numberedUpTo); index < to; index++) {
      if (this.numbers[index]! >= 0) continue
      found.push({ index, id: this.text(index), name: this.description(index) })
    }
    return found
  }

  setNumber(index: number, number: number): void {
    this.numbers[index] = number
    this.names.delete(index)
  }

  describe(index: number, displayName: string): void {
    if (this.described.length < this.numbers.length) {
      const described = new Uint8Array(this.numbers.length)
      described.set(this.described)
      this.described = described
    }
    this.described[index] = 1
    const isLate = index < this.handedOut || this.numbers[index]! >= 0
    const names = isLate ? this.lateNames : this.names
    names.set(index, displayName)
  }

  hasDescription(index: number): boolean {
    return this.described[index] === 1
  }

  description(index: number): string | null {
    return this.names.get(index) ?? null
  }

  takeLateDescriptions(): { id: string; name: string }[] {
    const late: { id: string; name: string }[] = []
    for (const [index, name] of this.lateNames) {
      if (this.numbers[index]! < 0) continue
      late.push({ id: this.text(index), name })
      this.lateNames.delete(index)
    }
    return late
  }

  resetIfLarge(batchRows: number): void {
    const { names, bytes } = this.bounds
    if (this.size >= names * batchRows || this.starts[this.size]! >= bytes * batchRows) this.reset()
  }

  private reset(): void {
    this.size = 0
    this.numberedUpTo = 0
    this.handedOut = 0
    this.names.clear()
    this.lateNames.clear()
    this.described = new Uint8Array(0)
    this.numbers = new Int32Array(NAMES_AT_FIRST).fill(-1)
    this.starts = new Uint32Array(NAMES_AT_FIRST + 1)
    this.bytes = Buffer.allocUnsafeSlow(BYTES_AT_FIRST)
    this.slots = new Int32Array(2 * 2 * NAMES_AT_FIRST)
    this.mask = 2 * NAMES_AT_FIRST - 1
  }

  private equals(index: number, bytes: Uint8Array, start: number, end: number): boolean {
    const own = this.bytes
    let at = this.starts[index]!
    if (this.starts[index + 1]! - at !== end - start) return false
    for (let other = start; other < end; other++, at++) {
      if (own[at] !== bytes[other]) return false
    }
    return true
  }

  private add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const index = this.size
    const at = this.starts[index]!
    if (at + end - start > this.bytes.length) this.growBytes(at + end - start)
    for (let from = start, to = at; from < end; from++, to++) this.bytes[to] = bytes[from]!

    this.starts[index + 1] = at + end - start
    this.slots[2 * slot] = hash
    this.slots[2 * slot + 1] = index + 1
    this.size = index + 1
    if (this.size === this.numbers.length) this.growNames()
    return index
  }

  private growBytes(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.bytes.length))
    larger.set(this.bytes)
    this.bytes = larger
  }

  private growNames(): void {
    const room = 2 * this.numbers.length
    const numbers = new Int32Array(room).fill(-1)
    const starts = new Uint32Array(room + 1)
    numbers.set(this.numbers)
    starts.set(this.starts)
    this.numbers = numbers
    this.starts = starts
    this.rehash(2 * room)
  }

  private rehash(size: number): void {
    const old = this.slots
    const slots = new Int32Array(2 * size)
    const mask = size - 1
    for (let from = 0; from < old.length; from += 2) {
      if (old[from + 1] === 0) continue
      let slot = old[from]! & mask
      while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask
      slots[2 * slot] = old[from]!
      slots[2 * slot + 1] = old[from + 1]!
    }
    this.slots = slots
    this.mask = mask
  }
}
