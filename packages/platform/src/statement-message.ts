/** A statement with a name of its own, by which a connection knows it once it was prepared. */
export interface Statement {
  readonly name: string
  readonly text: string
  /** As PostgreSQL writes them; see `arrayText`. Bytes are of its binary format. */
  readonly values: readonly Value[]
}

type Value = string | Buffer | null

const BYTE = 0xff
const int16 = (value: number): string => String.fromCharCode((value >>> 8) & BYTE, value & BYTE)
const int32 = (value: number): string =>
  String.fromCharCode(
    (value >>> 24) & BYTE,
    (value >>> 16) & BYTE,
    (value >>> 8) & BYTE,
    value & BYTE,
  )

/** Throws a TypeError for what is no text. */
const inUtf8 = (text: string): string =>
  Buffer.byteLength(text) === text.length ? text : Buffer.from(text).toString('latin1')

const message = (type: string, body: string): string => `${type}${int32(body.length + 4)}${body}`

const NULL = int32(-1)
const ALL_TEXT = int16(0)
const ANY_ROWS = int32(0)
const EXECUTE = message('E', `\0${ANY_ROWS}`)

/** Ends what goes together. */
export const SYNC = message('S', '')

function valueText(value: Value): string {
  if (value === null) return NULL
  const bytes = typeof value === 'object' ? value.toString('latin1') : inUtf8(value)
  return int32(bytes.length) + bytes
}

const isBytes = (value: Value): boolean => value !== null && typeof value === 'object'

const formatsOf = (values: readonly Value[]): string =>
  values.some(isBytes)
    ? int16(values.length) + values.map((value) => int16(isBytes(value) ? 1 : 0)).join('')
    : ALL_TEXT

/** Asks a connection to prepare the statement. */
export const parseMessage = ({ name, text }: Omit<Statement, 'values'>): string =>
  message('P', `${inUtf8(name)}\0${inUtf8(text)}\0${int16(0)}`)

/**
 * Asks a connection to run the prepared statement and to answer its rows as texts. Each character is one byte of PostgreSQL's
 * protocol, as of `latin1`: a text is put together and written faster than a Buffer for each message.
 */
export function runMessages({ name, values }: Omit<Statement, 'text'>): string {
  let given = ''
  for (const value of values) given += valueText(value)
  const bound = `\0${inUtf8(name)}\0${formatsOf(values)}${int16(values.length)}${given}${ALL_TEXT}`
  return message('B', bound) + EXECUTE
}
