import { hash as digest } from 'node:crypto'
import { DomainError } from '@billtrail/domain'
import type { RequestHandler } from 'express'
import { contextOf, type Caller } from './request-context'
import type { Sql } from './sql'

/** What is stored of a key: 256 random bits need no salt and no slow hash. */
export const hashKey = (key: string): Buffer => digest('sha256', key, 'buffer')

const CACHE_MS = 5_000
const CACHE_ENTRIES_MAX = 10_000

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
  const known = new Map<string, { caller: Caller; until: number }>()

  const findAndRemember = async (id: string, now: number): Promise<Caller> => {
    const caller = await findCaller(sql, Buffer.from(id, 'base64'))
    if (!caller) throw unauthenticated('This key is not known, or it was revoked.')
    if (known.size >= CACHE_ENTRIES_MAX) known.clear()
    known.set(id, { caller, until: now + CACHE_MS })
    return caller
  }

  return (req, _res, next) => {
    const [, key] = /^Bearer +(\S{1,400})$/i.exec(req.headers.authorization ?? '') ?? []
    if (key === undefined) {
      throw unauthenticated('Send your key in the header "Authorization: Bearer <key>".')
    }
    const id = digest('sha256', key, 'base64')
    const now = Date.now()
    const cached = known.get(id)
    const context = contextOf(req)
    if (cached && cached.until > now) {
      context.caller = cached.caller
      next()
      return undefined
    }
    return findAndRemember(id, now).then((caller) => {
      context.caller = caller
      next()
    })
  }
}
