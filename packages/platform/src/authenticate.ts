import { hash as digest } from 'node:crypto'
import type { Socket } from 'node:net'
import { DomainError } from '@billtrail/domain'
import type { RequestHandler } from 'express'
import { contextOf, type Caller } from './request-context'
import type { Sql } from './sql'

/** What is stored of a key: 256 random bits need no salt and no slow hash. */
export const hashKey = (key: string): Buffer => digest('sha256', key, 'buffer')

const CACHE_MS = 5_000
const CACHE_ENTRIES_MAX = 10_000
const CACHE_ENTRIES_PER_CONNECTION = 16

interface Known {
  readonly caller: Caller
  /** In ms since 1970. */
  readonly until: number
}

/**
 * What a connection's own `Authorization` headers were found to say, so that they need not be hashed each time. By the header's
 * text, which is looked up by V8's seeded hash: how long that takes says nothing of keys that others sent over the same connection.
 */
const SAID = Symbol('said')
type WithSaid = Socket & { [SAID]?: Map<string, Known> }

function remember(socket: WithSaid, header: string, known: Known): void {
  const said = socket[SAID] ?? new Map<string, Known>()
  socket[SAID] = said
  if (said.size >= CACHE_ENTRIES_PER_CONNECTION) said.clear()
  said.set(header, known)
}

async function findCaller(sql: Sql, hash: Buffer): Promise<Caller | undefined> {
  const { rows } = await sql.query<{ id: string; organization_id: string; role: 'admin' }>(
    'select id, organization_id, role from api_keys where key_hash = $1 and revoked_at is null',
    [hash],
  )
  const row = rows[0]
  return row && { keyId: row.id, organizationId: row.organization_id, role: row.role }
}

const unauthenticated = (message: string): DomainError =>
  new DomainError('unauthenticated', 'unauthenticated', message)

/**
 * Lets a request in by its `Authorization: Bearer <key>`; the one place where this is decided, before
 * any body is read. A known key is remembered for 5 s, so a revoked one works no longer than that.
 */
export function authenticate(sql: Sql): RequestHandler {
  const known = new Map<string, Known>()

  const find = async (id: string, now: number): Promise<Known> => {
    const caller = await findCaller(sql, Buffer.from(id, 'base64'))
    if (!caller) throw unauthenticated('This key is not known, or it was revoked.')
    if (known.size >= CACHE_ENTRIES_MAX) known.clear()
    const found = { caller, until: now + CACHE_MS }
    known.set(id, found)
    return found
  }

  return (req, _res, next) => {
    const header = req.headers.authorization ?? ''
    const now = Date.now()
    const enter = ({ caller }: Known): void => {
      contextOf(req).caller = caller
      next()
    }
    const said = (req.socket as WithSaid)[SAID]?.get(header)
    if (said && said.until > now) {
      enter(said)
      return undefined
    }
    const [, key] = /^Bearer +(\S{1,400})$/i.exec(header) ?? []
    if (key === undefined) {
      throw unauthenticated('Send your key in the header "Authorization: Bearer <key>".')
    }
    const id = digest('sha256', key, 'base64')
    const cached = known.get(id)
    const rememberAndEnter = (found: Known): void => {
      remember(req.socket, header, found)
      enter(found)
    }
    if (cached && cached.until > now) {
      rememberAndEnter(cached)
      return undefined
    }
    return find(id, now).then(rememberAndEnter)
  }
}
