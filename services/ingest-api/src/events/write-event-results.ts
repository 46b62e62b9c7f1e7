import { REJECT_REASONS } from '@billtrail/domain'
import type { SentOutcomes } from '../storing/sent-events.repo'
import { type SentEvents, PLACES } from './read-sent-events'

const DIGITS_MAX = 6
const ZERO = 48
const [BEFORE_INDEX, BEFORE_EVENT, END] = ['{"index":', '","event_id":"', '"},'].map((text) =>
  Buffer.from(text),
)
const beforeCustomer = (status: string): Buffer =>
  Buffer.from(`,"status":"${status}","customer_id":"`)
const BEFORE_CUSTOMER = {
  accepted: beforeCustomer('accepted'),
  duplicate: beforeCustomer('duplicate'),
  conflict: beforeCustomer('conflict'),
}
/** What a result takes beside its ids. */
const RESULT_BYTES = 80 + DIGITS_MAX

/**
 * The answer to a request of events, `PostEventsAnswer` as JSON: what became of each. Ids are copied from the request
 * as they were written there, so that no text is made of them.
 */
export function writeEventResults(
  sent: SentEvents,
  outcomes: SentOutcomes,
  take: (bytes: number) => Buffer = (bytes) => Buffer.allocUnsafe(bytes),
): Buffer {
  const known = { duplicate: 0, conflict: 0 }
  for (const outcome of outcomes.values()) known[outcome]++
  const head = {
    accepted: sent.batch.size - outcomes.size,
    duplicates: known.duplicate,
    conflicts: known.conflict,
    rejected: sent.refusals.size,
    results: [],
  }
  const texts = textsOf(sent, outcomes)
  const out = take(roomFor(sent, texts))
  let at = out.write(JSON.stringify(head).slice(0, -2))
  for (let index = 0, row = 0; index < sent.count; index++) {
    const text = texts.get(index)
    if (text === undefined) at = writeResult(out, at, { sent, outcomes, index, row })
    else at += out.write(text, at)
    if (!sent.refusals.has(index)) row++
  }
  // In place of the last comma.
  at += out.write(']}', at - 1) - 1
  return out.subarray(0, at)
}

/** The results of refused events, and of those whose ids do not stand in the request as they are. */
function textsOf({ names, refusals }: SentEvents, outcomes: SentOutcomes): Map<number, string> {
  const texts = new Map<number, string>()
  for (const [index, { customerId, eventId }] of names) {
    const status = outcomes.get(index + 1) ?? 'accepted'
    const result = { index, status, customer_id: customerId, event_id: eventId }
    texts.set(index, `${JSON.stringify(result)},`)
  }
  for (const [index, { reason, column }] of refusals) {
    const message = REJECT_REASONS[reason]
    const none = { customer_id: null, event_id: null }
    const result = { index, status: 'rejected', ...none, column, reason, message }
    texts.set(index, `${JSON.stringify(result)},`)
  }
  return texts
}

function roomFor(sent: SentEvents, texts: ReadonlyMap<number, string>): number {
  let bytes = 200 + RESULT_BYTES * sent.count
  for (const text of texts.values()) bytes += 3 * text.length
  for (let at = 0; at < PLACES * sent.batch.size; at += 2) {
    bytes += sent.places[at + 1]! - sent.places[at]!
  }
  return bytes
}

function writeResult(
  out: Buffer,
  start: number,
  of: { sent: SentEvents; outcomes: SentOutcomes; index: number; row: number },
): number {
  const { bytes, places } = of.sent
  const outcome = of.outcomes.size === 0 ? undefined : of.outcomes.get(of.index + 1)
  const beforeId = BEFORE_CUSTOMER[outcome ?? 'accepted']
  const place = PLACES * of.row
  let at = copy(BEFORE_INDEX!, 0, BEFORE_INDEX!.length, out, start)
  at = writeIndex(of.index, out, at)
  at = copy(beforeId, 0, beforeId.length, out, at)
  at = copy(bytes, places[place]!, places[place + 1]!, out, at)
  at = copy(BEFORE_EVENT!, 0, BEFORE_EVENT!.length, out, at)
  at = copy(bytes, places[place + 2]!, places[place + 3]!, out, at)
  return copy(END!, 0, END!.length, out, at)
}

function writeIndex(index: number, out: Uint8Array, at: number): number {
  const rest = Math.floor(index / 10)
  const to = rest === 0 ? at : writeIndex(rest, out, at)
  out[to] = ZERO + index - 10 * rest
  return to + 1
}

/** For so few bytes a loop is faster than a call into C++. */
function copy(from: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  let to = at
  for (let i = start; i < end; i++) out[to++] = from[i]!
  return to
}
