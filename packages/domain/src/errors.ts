/** What kind of failure it is. The domain knows nothing of HTTP; the edge gives each kind its status. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'gone'
  | 'too_large'
  | 'unsupported'
  | 'busy'
  | 'unavailable'

/** One field at fault, named by its path as the caller wrote it: `charges[1].price.tiers[2].up_to`. */
export interface FieldError {
  readonly field: string
  readonly message: string
}

/**
 * Something we expected could happen and can explain to the caller.
 *
 * Anything else that is thrown is a bug, and is answered with a 500 that tells the caller nothing.
 */
export class DomainError extends Error {
  override readonly name = 'DomainError'
  readonly kind: ErrorKind
  /** Stable, snake_case and public: clients branch on it, and it ends the address of the problem type. */
  readonly code: string
  /** The fields at fault; empty when no single field is. */
  readonly errors: readonly FieldError[]
  /** When trying again makes sense, for `busy` and `unavailable`. */
  readonly retryAfterSeconds: number | undefined

  constructor(
    kind: ErrorKind,
    code: string,
    message: string,
    errors: readonly FieldError[] = [],
    retryAfterSeconds?: number,
  ) {
    super(message)
    this.kind = kind
    this.code = code
    this.errors = errors
    this.retryAfterSeconds = retryAfterSeconds
  }
}
