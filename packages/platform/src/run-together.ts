import type { Pool, PoolClient } from 'pg'
import { isDatabaseUnavailable, sqlState } from './sql'

/** A statement with a name of its own, by which a connection knows it once it was prepared. */
export interface Statement {
  readonly name: string
  readonly text: string
  /** As PostgreSQL writes them; see `arrayText`. Bytes are of its binary format. */
  readonly values: readonly Value[]
}

type Value = string | Buffer | null

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
  readonly stream: { cork(): void; uncork(): void }
  readonly parsedStatements: Record<string, string>
  parse(message: { name: string; text: string }): void
  bind(message: { statement: string; values: readonly Value[] }): void
  execute(message: object): void
  sendCopyFromChunk(chunk: Buffer): void
  endCopyFrom(): void
  sync(): void
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

function writeStep(wire: Wire, step: Statement | CopyIn, parsed: Set<string>): void {
  if (isStatement(step)) {
    const { name, text, values } = step
    if (wire.parsedStatements[name] !== text && !parsed.has(name)) {
      wire.parse({ name, text })
      parsed.add(name)
    }
    wire.bind({ statement: name, values })
    wire.execute({})
    return
  }
  wire.parse({ name: '', text: step.copy })
  wire.bind({ statement: '', values: [] })
  wire.execute({})
  for (const chunk of step.chunks) wire.sendCopyFromChunk(chunk)
  wire.endCopyFrom()
}

function messagesOf(steps: readonly (Statement | CopyIn)[], callback: Done): Messages {
  const rows: TextRow[][] = steps.map(() => [])
  let at = 0
  const nothing = () => undefined
  const messages: Messages = {
    callback,
    submit(wire) {
      wire.stream.cork()
      const parsed = new Set<string>()
      for (const step of steps) writeStep(wire, step, parsed)
      // One sync for all: what lies between two of them is one transaction.
      wire.sync()
      wire.stream.uncork()
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
      for (const { name, text } of steps.filter(isStatement)) wire.parsedStatements[name] = text
      messages.callback(null, rows)
    },
  }
  return messages
}

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

/**
 * Runs statements, and copies rows, as one transaction in one round trip; answers the rows of each, once it is committed. Each sees
 * what those before it did; the same statement may come more than once. Where one fails nothing was done.
 */
export async function runTogether(
  pool: Pool,
  steps: readonly (Statement | CopyIn)[],
): Promise<readonly TextRow[][]> {
  const client: PoolClient = await pool.connect()
  return new Promise((resolve, reject) => {
    let isSettled = false
    const settle: Done = (error, rows) => {
      if (isSettled) return
      isSettled = true
      client.off('error', settle)
      client.release(error && !isUsableAfter(error, client, steps) ? error : undefined)
      if (error) reject(error)
      else resolve(rows!)
    }
    // A connection that breaks says so here, and to the query.
    client.once('error', settle)
    try {
      client.query(messagesOf(steps, settle) as never)
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
