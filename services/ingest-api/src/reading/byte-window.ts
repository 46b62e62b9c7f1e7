import { isUtf8 } from 'node:buffer'
import { LF } from './split-row'
import { createTextDecoder } from './text-decoder'

const ROOM_AT_FIRST = 128 * 1024

/**
 * The stretch of the upload that is being read, as UTF-8 in one buffer that is reused.
 *
 * Invariants: `bytes[start .. end)` is unread and contiguous; `bytes[end]` is an LF of ours, so that loops over bytes
 * stop without counting; what was written and does not fit yet waits in `queue`.
 */
export class ByteWindow {
  bytes: Buffer = Buffer.allocUnsafeSlow(ROOM_AT_FIRST)
  start = 0
  end = 0
  /** Bytes of the upload as they came. */
  received = 0
  /** Up to here the window is known to be valid UTF-8. */
  private validUpTo = 0
  private ended = false
  private readonly queue: Uint8Array[] = []
  private readonly decoder = createTextDecoder()

  constructor() {
    this.bytes[0] = LF
  }

  /** Takes the next bytes of the upload. They must not change until they are read. */
  write(chunk: Uint8Array): void {
    this.received += chunk.length
    this.enqueue(this.decoder.decode(chunk))
  }

  /** Says that nothing more will be written. */
  finish(): void {
    if (this.ended) return
    this.enqueue(this.decoder.end())
    this.ended = true
  }

  /** Does nothing follow what is in the window? */
  get final(): boolean {
    return this.ended && this.queue.length === 0
  }

  get size(): number {
    return this.end - this.start
  }

  /**
   * Moves more input into the window until it holds at least `wanted` bytes or all there are; false when more must
   * be written first.
   */
  refill(wanted: number): boolean {
    if (this.queue.length > 0) {
      this.makeRoom(Math.max(wanted, ROOM_AT_FIRST / 2))
      while (this.queue.length > 0 && this.end + 1 < this.bytes.length) this.takeFromQueue()
      this.bytes[this.end] = LF
      this.validate()
    }
    return this.final || this.size >= wanted
  }

  /** Is the row `bytes[from .. to)` valid UTF-8? Whole windows are checked at once, rows only near a bad byte. */
  isValid(from: number, to: number): boolean {
    return to <= this.validUpTo || isUtf8(this.bytes.subarray(from, to))
  }

  private enqueue(chunk: Uint8Array): void {
    if (chunk.length > 0) this.queue.push(chunk)
  }

  private takeFromQueue(): void {
    const chunk = this.queue[0]!
    const taken = Math.min(chunk.length, this.bytes.length - 1 - this.end)
    this.bytes.set(taken === chunk.length ? chunk : chunk.subarray(0, taken), this.end)
    this.end += taken
    if (taken === chunk.length) this.queue.shift()
    else this.queue[0] = chunk.subarray(taken)
  }

  /** Moves what is unread to the front, into a larger buffer when `wanted` bytes would not fit. */
  private makeRoom(wanted: number): void {
    const target = wanted + 1 <= this.bytes.length ? this.bytes : Buffer.allocUnsafeSlow(2 * wanted)
    if (target !== this.bytes || this.start > 0) {
      this.bytes.copy(target, 0, this.start, this.end)
      this.end -= this.start
      this.start = 0
    }
    this.bytes = target
  }

  private validate(): void {
    const lastLineEnd = this.bytes.lastIndexOf(LF, this.end - 1)
    const valid = lastLineEnd >= this.start && isUtf8(this.bytes.subarray(this.start, lastLineEnd))
    this.validUpTo = valid ? lastLineEnd : 0
  }
}
