import { DomainError } from '@billtrail/domain'
import type { EventBatch } from './event-batch'
import { createNdjsonReader } from './ndjson-reader'
import type { ReaderOptions, UsageReader } from './usage-reader'

const LF = 10
const BACKSLASH = 92
const QUOTE = 34
const COMMA = 44
const SPACE = 32
const [OPEN_LIST, CLOSE_LIST] = [91, 93]
const [OPEN_OBJECT, CLOSE_OBJECT] = [123, 125]
/** Not allowed inside a JSON string, and so refused by whoever parses it. */
const CONTROL = 1

const isBlank = (byte: number): boolean => byte === SPACE || (byte >= 9 && byte <= 13)

/**
 * A reader of JSON: an array of events, or events one after the other. Their `line` is their position, from 1.
 *
 * It finds where each element ends and hands them, a line each, to the NDJSON reader: one place decides what an
 * event is. Throws `unclosed_json` at the end of a file whose array or last element is not closed.
 */
export function createJsonReader(options: ReaderOptions): UsageReader {
  const lines = createNdjsonReader(options)
  const elements = new ElementSplitter()
  return {
    customers: lines.customers,
    eventTypes: lines.eventTypes,
    counts: () => lines.counts(),
    layout: () => lines.layout(),
    write: (chunk) => lines.write(elements.asLines(chunk)),
    end() {
      elements.checkClosed()
      lines.end()
    },
    fill: (batch: EventBatch) => lines.fill(batch),
  }
}

/**
 * Invariants: `depth` counts open brackets that belong to an element, so not those of the list around them;
 * `hasText` says whether the element being read has begun. A class because its fields change with every byte.
 */
class ElementSplitter {
  private depth = 0
  private isInList = false
  private isInString = false
  private isEscaped = false
  private hasText = false
  private isFirst = true

  /** The same elements, each on a line of its own and without line ends inside. */
  asLines(chunk: Uint8Array): Buffer {
    // An element that ends at its own bracket gets a line end more than it had bytes.
    const out = Buffer.allocUnsafe(2 * chunk.length + 1)
    let to = 0
    for (const byte of this.withoutMark(chunk)) {
      if (this.isInString) {
        out[to++] = byte < SPACE ? CONTROL : byte
        this.followString(byte)
      } else if (this.depth === 0 && this.isBetween(byte)) {
        if (byte === COMMA || this.hasText) out[to++] = LF
        this.hasText = false
      } else {
        out[to++] = byte < SPACE ? SPACE : byte
        this.followElement(byte)
        if (this.depth === 0 && byte === CLOSE_OBJECT && !this.isInList) {
          out[to++] = LF
          this.hasText = false
        }
      }
    }
    return out.subarray(0, to)
  }

  checkClosed(): void {
    if (!this.isInList && this.depth === 0 && !this.isInString) return
    throw new DomainError(
      'invalid',
      'unclosed_json',
      'The JSON ends in the middle of an array or object. The file is cut short; send it whole.',
    )
  }

  /** Blanks, commas and the brackets of the list around the elements. */
  private isBetween(byte: number): boolean {
    if (byte === OPEN_LIST && !this.isInList && !this.hasText) return (this.isInList = true)
    if (byte === CLOSE_LIST && this.isInList) {
      this.isInList = false
      return true
    }
    if (isBlank(byte)) return !this.isInList || !this.hasText
    return byte === COMMA
  }

  private followElement(byte: number): void {
    if (!isBlank(byte)) this.hasText = true
    if (byte === QUOTE) this.isInString = true
    else if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.depth++
    else if ((byte === CLOSE_OBJECT || byte === CLOSE_LIST) && this.depth > 0) this.depth--
  }

  private followString(byte: number): void {
    if (this.isEscaped) this.isEscaped = false
    else if (byte === BACKSLASH) this.isEscaped = true
    else if (byte === QUOTE) this.isInString = false
  }

  /** A byte order mark before the first byte is not part of the text. */
  private withoutMark(chunk: Uint8Array): Uint8Array {
    const isMarked = this.isFirst && chunk[0] === 0xef && chunk[1] === 0xbb && chunk[2] === 0xbf
    if (chunk.length > 0) this.isFirst = false
    return isMarked ? chunk.subarray(3) : chunk
  }
}
