import { DomainError, isFault, trimBlanks } from '@billtrail/domain'
import {
  createEventAppender,
  type EventAppender,
  type EventBatch,
  type FieldRefusal,
  type LearnedShapes,
  eventFromJson,
  parseExactJson,
} from '../reading'
import { afterBlanks, elementEnd } from '../reading/json-shape'
import type { BatchPool } from './batch-pool'
import { type EventsBody, malformed } from './read-events-body'

export const EVENTS_MAX = 10_000
/** No event that keeps the rules is shorter than this. */
const EVENT_BYTES_MIN = 48
const MARK = Buffer.from('\ufeff')
const [LF, CR, COMMA, OPEN_LIST, CLOSE_LIST] = [10, 13, 44, 91, 93]

/** What an accepted event is called in the answer. */
export interface EventName {
  readonly customerId: string
  readonly eventId: string
}

/** The events of a request, read by the rules. */
export interface SentEvents {
  /** How many there are, refused ones too. */
  readonly count: number
  /** Those that were not refused, in their order; the line of each is its position, from 1. */
  readonly batch: EventBatch
  readonly appender: EventAppender
  readonly bytes: Buffer
  /**
   * Where in `bytes` each row of the batch has its customer_id (start, end) and event_id (start, end), as JSON text
   * without its quotes. All zero for those in `names`.
   */
  readonly places: Int32Array
  /** By position from 0. */
  readonly names: ReadonlyMap<number, EventName>
  readonly refusals: ReadonlyMap<number, FieldRefusal>
}

export interface ReadOptions {
  /** Of dates without an offset. */
  readonly zone: string
  /** How the same sender's events were written before. */
  readonly shapes?: LearnedShapes
  /** Where the batch of what was read comes from; whoever has read it puts it back. */
  readonly batches: BatchPool
}

/** Takes one event after the other. */
interface Sink {
  readonly read: SentEvents
  /**
   * Takes the event at `start` when it is written like one before, and fills `[start, end)` where it must: the position
   * after it, or -1 when it must be parsed.
   */
  takeWritten(start: number, end: number, mustFill: boolean): number
  /** Takes a parsed event; answers whether it was accepted. */
  takeValue(value: unknown): boolean
  /** Takes a line that is not JSON. */
  takeUnreadable(): void
}

const ROWS_AT_FIRST = 1_024
/** How many numbers of `places` each row has. */
export const PLACES = 4

function createSink(bytes: Buffer, { zone, batches, shapes = [] }: ReadOptions): Sink {
  const appender = createEventAppender({ zone, shapes, now: Date.now() })
  const rowsMax = Math.min(EVENTS_MAX, 1 + Math.floor(bytes.length / EVENT_BYTES_MIN))
  const batch = batches.take(rowsMax)
  const names = new Map<number, EventName>()
  const refusals = new Map<number, FieldRefusal>()
  const places = new Int32Array(PLACES * ROWS_AT_FIRST)
  const read = { count: 0, batch, appender, bytes, places, names, refusals }
  const isRefused = (refusal: FieldRefusal | null): boolean => {
    if (refusal !== null) refusals.set(read.count, refusal)
    read.count++
    return refusal !== null
  }
  const demandRoom = () => {
    if (batch.size === rowsMax) throw new Error('A batch has no room for an event of its request.')
    if (PLACES * batch.size < read.places.length) return
    const larger = new Int32Array(2 * read.places.length)
    larger.set(read.places)
    read.places = larger
  }
  return {
    read,
    takeWritten(start, end, mustFill) {
      const after = appender.readWritten(bytes, start, end)
      if (after < 0 || (mustFill && afterBlanks(bytes, after) < end)) return -1
      demandRoom()
      if (isRefused(appender.appendWritten(read.count + 1, batch))) return after
      const { customerStart, customerEnd, idStart, idEnd } = appender.written
      const at = PLACES * (batch.size - 1)
      read.places[at] = customerStart
      read.places[at + 1] = customerEnd
      read.places[at + 2] = idStart
      read.places[at + 3] = idEnd
      return after
    },
    takeValue(value) {
      const index = read.count
      const fields = eventFromJson(value)
      if (isFault(fields)) return !isRefused({ reason: fields.reason, column: fields.field })
      demandRoom()
      if (isRefused(appender.append(fields, index + 1, batch))) return false
      const { customer_id = '', event_id = '' } = fields.known
      names.set(index, { customerId: trimBlanks(customer_id), eventId: trimBlanks(event_id) })
      return true
    },
    takeUnreadable() {
      isRefused({ reason: 'invalid_json', column: null })
    },
  }
}

const NOT_JSON = Symbol('no JSON')

function parsed(text: string): unknown {
  try {
    return parseExactJson(text)
  } catch {
    return NOT_JSON
  }
}

const afterMark = (bytes: Buffer): number => (bytes.indexOf(MARK) === 0 ? MARK.length : 0)

/** Reads an array element by element; false when the body is anything else. */
function readArray(bytes: Buffer, sink: Sink): boolean {
  let at = afterBlanks(bytes, afterMark(bytes))
  if (bytes[at] !== OPEN_LIST) return false
  do {
    if (sink.read.count === EVENTS_MAX) return false
    const start = afterBlanks(bytes, at + 1)
    at = sink.takeWritten(start, bytes.length, false)
    if (at < 0) {
      at = elementEnd(bytes, start, bytes.length)
      const value = at < 0 ? NOT_JSON : parsed(bytes.toString('utf8', start, at))
      if (value === NOT_JSON) return false
      const isLast = bytes[at] !== COMMA
      if (sink.takeValue(value) && !isLast) sink.read.appender.learn(bytes, start, at)
    }
    at = afterBlanks(bytes, at)
  } while (bytes[at] === COMMA)
  return bytes[at] === CLOSE_LIST && afterBlanks(bytes, at + 1) === bytes.length
}

/** Reads any JSON as a whole: the one place that says why a body is refused. */
function readValue(bytes: Buffer, sink: Sink): void {
  let value: unknown
  try {
    value = parseExactJson(bytes.toString('utf8', afterMark(bytes)))
  } catch (error) {
    throw malformed(error instanceof Error ? error.message : 'unreadable.')
  }
  const events: unknown[] = Array.isArray(value) ? value : [value]
  checkCount(events.length)
  for (const event of events) sink.takeValue(event)
}

function readLines(bytes: Buffer, sink: Sink): void {
  const lines: [start: number, end: number][] = []
  let count = 0
  let start = afterMark(bytes)
  while (start < bytes.length) {
    let end = start
    while (end < bytes.length && bytes[end] !== LF && bytes[end] !== CR) end++
    if (!isBlank(bytes, start, end) && ++count <= EVENTS_MAX) lines.push([start, end])
    start = end + 1
  }
  checkCount(count)
  for (const [start, end] of lines) {
    if (sink.takeWritten(afterBlanks(bytes, start), end, true) >= 0) continue
    const value = parsed(bytes.toString('utf8', start, end))
    if (value === NOT_JSON) sink.takeUnreadable()
    else if (sink.takeValue(value)) sink.read.appender.learn(bytes, start, end)
  }
}

function isBlank(bytes: Buffer, start: number, end: number): boolean {
  const first = bytes[start]!
  const isVisible = start < end && first > 32 && first < 127
  return !isVisible && bytes.toString('utf8', start, end).trim() === ''
}

function checkCount(count: number): void {
  if (count === 0) throw new DomainError('invalid', 'no_events', 'The body holds no event.')
  if (count <= EVENTS_MAX) return
  throw new DomainError(
    'too_large',
    'too_many_events',
    `${count} events are more than ${EVENTS_MAX}. Send them in parts, or upload a file.`,
  )
}

/** Reads the events of a request. Throws `malformed_json`, `too_many_events`, `no_events`. */
export function readSentEvents({ bytes, isLines }: EventsBody, options: ReadOptions): SentEvents {
  const sink = createSink(bytes, options)
  if (isLines) {
    readLines(bytes, sink)
    return sink.read
  }
  if (readArray(bytes, sink)) return sink.read
  const whole = createSink(bytes, options)
  readValue(bytes, whole)
  return whole.read
}
