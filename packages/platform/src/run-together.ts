import type { Socket } from 'node:net'
import type { Pool, PoolClient } from 'pg'
import { isDatabaseUnavailable, sqlState } from './sql'
import { parseMessage, runMessages, type Statement, SYNC } from './statement-message'

export type { Statement } from './statement-message'

/** Rows on their way into a table, without waiting for the server to ask for them. */
export interface CopyIn {
  /** `copy … from stdin`. Not prepared. */
  readonly copy: string
  /** What is copied, written while the messages are: it must fit into memory, and stay as it is until the answer. */
  readonly chunks: Iterable<Buffer>
}

/** A row as the server sends it: PostgreSQL's texts, in the order of the columns. */
export type TextRow = readonly (string | null)[]

/** What the driver's connection does for whoever submits messages of their own. */
interface Wire {
  readonly stream: Pick<Socket, 'cork' | 'uncork' | 'writable' | 'write'>
  /** The texts of prepared statements, by their names. */
  readonly parsedStatements: Record<string, string>
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
}

type Done = (error: Error | null, rows?: readonly TextRow[][]) => void

/** What the driver asks of a query that is not one of its own. */
interface Messages {
  callback: Done
  submit(wire: Wire): null
  handleRowDescription(): void
  handleDataRow(message: { fields: TextRow }): void
  handleCommandComplete(): void
  handleEmptyQuery(): void
  handlePortalSuspended(): void
  handleCopyInResponse(): void
  handleError(error: Error): void
  handleReadyForQuery(wire: Wire): void
}

const isStatement = (step: Statement | CopyIn): step is Statement => 'text' in step

function writeText(wire: Wire, text: string): void {
  // The driver says of a connection that broke, to the query as well.
  if (wire.stream.writable) wire.stream.write(text, 'latin1')
}

function writeCopy(wire: Wire, { chunks }: CopyIn): void {
  for (const chunk of chunks) wire.sendCopyFromChunk(chunk)
  wire.endCopyFrom()
}

/** Writes everything as one piece, but for rows that are copied; answers the statements that the connection had not met. */
function writeSteps(wire: Wire, steps: readonly (Statement | CopyIn)[]): Map<string, string> {
  const met = new Map<string, string>()
  let text = ''
  wire.stream.cork()
  for (const step of steps) {
    if (isStatement(step)) {
      if (wire.parsedStatements[step.name] !== step.text && !met.has(step.name)) {
        text += parseMessage(step)
        met.set(step.name, step.text)
      }
      text += runMessages(step)
      continue
    }
    writeText(wire, text + parseMessage({ name: '', text: step.copy }) + runMessages(UNNAMED))
    writeCopy(wire, step)
    text = ''
  }
  // One sync for all: what lies between two of them is one transaction.
  writeText(wire, text + SYNC)
  wire.stream.uncork()
  return met
}

const UNNAMED = { name: '', values: [] }

interface Work {
  readonly steps: readonly (Statement | CopyIn)[]
  /** When the connection is at it, if it needs nothing prepared for it. */
  readonly onBegun: () => void
}

/** `ahead`: it is written already, behind what the connection is at; the statements that were new to it. */
function messagesOf(
  { steps, onBegun }: Work,
  callback: Done,
  ahead: Map<string, string> | undefined,
): Messages {
  const rows: TextRow[][] = steps.map(() => [])
  let at = 0
  let met: ReadonlyMap<string, string> | undefined = ahead
  const messages: Messages = {
    callback,
    submit(wire) {
      met ??= writeSteps(wire, steps)
      // Behind others nobody goes: whether the connection has them is not known before their end.
      if (met.size === 0) onBegun()
      return null
    },
    handleRowDescription: nothing,
    handleDataRow: ({ fields }) => rows[at]!.push(fields),
    handleCommandComplete: () => (at += 1),
    handleEmptyQuery: nothing,
    handlePortalSuspended: nothing,
    handleCopyInResponse: nothing,
    handleError: (error) => messages.callback(error),
    // The transaction has been committed.
    handleReadyForQuery(wire) {
      for (const [name, text] of met!) wire.parsedStatements[name] = text
      messages.callback(null, rows)
    },
  }
  return messages
}

const nothing = () => undefined

/** What the server refuses leaves a connection as it was; which statements it had prepared by then has to be known. */
const isUsableAfter = (
  error: Error,
  client: PoolClient,
  steps: readonly (Statement | CopyIn)[],
): boolean =>
  SQLSTATE.test(sqlState(error)) &&
  !isDatabaseUnavailable(error) &&
  steps
    .filter(isStatement)
    .every(({ name, text }) => wireOf(client).parsedStatements[name] === text)

const SQLSTATE = /^[0-9A-Z]{5}$/

const wireOf = (client: PoolClient): Wire => (client as unknown as { connection: Wire }).connection

/** Connections that have just done their work, until the end of this turn of the event loop. */
const atHand = new WeakMap<Pool, PoolClient>()

/** For who goes on at once: to give a connection back and to ask for it again takes longer than to write what it is asked. */
function keepAtHand(pool: Pool, client: PoolClient): void {
  if (pool.waitingCount > 0 || atHand.has(pool)) {
    client.release()
    return
  }
  atHand.set(pool, client)
  setImmediate(() => takeAtHand(pool)?.release())
}

function takeAtHand(pool: Pool): PoolClient | undefined {
  const client = atHand.get(pool)
  if (client !== undefined) atHand.delete(pool)
  return client
}

/** Connections that are at work and have nothing behind it yet: what is written now begins right after it. */
const atWork = new WeakMap<Pool, PoolClient>()

function takeAtWork(pool: Pool): PoolClient | undefined {
  if (pool.waitingCount > 0) return undefined
  const client = atWork.get(pool)
  if (client !== undefined) atWork.delete(pool)
  return client
}

/** What a connection is at, besides the first; and what broke it meanwhile. */
interface Behind {
  count: number
  broken: Error | undefined
}
const behind = new WeakMap<PoolClient, Behind>()

function countBehind(client: PoolClient): void {
  const others = behind.get(client)
  if (others) others.count += 1
  else behind.set(client, { count: 1, broken: undefined })
}

/** `broken`: the connection is of no more use. */
function letGo(pool: Pool, client: PoolClient, broken: Error | undefined): void {
  if (atWork.get(pool) === client) atWork.delete(pool)
  const others = behind.get(client)
  if (others !== undefined && others.count > 0) {
    others.count -= 1
    others.broken ??= broken
    return
  }
  const error = broken ?? others?.broken
  if (error) client.release(error)
  else keepAtHand(pool, client)
}

/**
 * Runs statements, and copies rows, as one transaction in one round trip; answers the rows of each, once it is committed. Each sees
 * what those before it did; the same statement may come more than once. Where one fails nothing was done.
 *
 * Calls `onBegun`, if it can, when the server is at it. What is asked of `runTogether` from then on goes to the same connection and
 * begins when this is done, without a round trip in between; it is a transaction of its own, and fails by itself.
 */
export async function runTogether(
  pool: Pool,
  steps: readonly (Statement | CopyIn)[],
  onBegun?: () => void,
): Promise<readonly TextRow[][]> {
  const ahead = takeAtWork(pool)
  const client = ahead ?? takeAtHand(pool) ?? (await pool.connect())
  if (ahead) countBehind(client)
  return new Promise((resolve, reject) => {
    let isSettled = false
    const settle: Done = (error, rows) => {
      if (isSettled) return
      isSettled = true
      letGo(pool, client, error && !isUsableAfter(error, client, steps) ? error : undefined)
      if (error) reject(error)
      else resolve(rows!)
    }
    const work: Work = {
      steps,
      onBegun() {
        if (!onBegun) return
        atWork.set(pool, client)
        onBegun()
      },
    }
    try {
      const written = ahead && writeSteps(wireOf(client), steps)
      client.query(messagesOf(work, settle, written) as never)
    } catch (error) {
      // Something in them cannot be written as a message.
      settle(error as Error)
    }
  })
}

const PLAIN = /^(?!null$)[\w.:+-]+$/i

type Element = string | number | null

/** A value of an array; text with anything special in it in quotes. */
function elementText(value: Element): string {
  if (value === null) return 'NULL'
  if (typeof value === 'number') return String(value)
  return PLAIN.test(value) ? value : `"${value.replace(/["\\]/g, '\\$&')}"`
}

/** Values, or those of some items, as PostgreSQL writes an array. */
export function arrayText(values: readonly Element[]): string
export function arrayText<Item>(items: readonly Item[], valueOf: (item: Item) => Element): string
export function arrayText(
  items: readonly unknown[],
  valueOf: (item: unknown) => Element = (item) => item as Element,
): string {
  let text = ''
  for (const item of items) text += `${text === '' ? '' : ','}${elementText(valueOf(item))}`
  return `{${text}}`
}
