import { z } from 'zod'
import { SERVICES, type ServiceName, type ServiceOrigins } from './services'

/** Longer than a service's own checks take at most, so that it can say what it misses. */
const ANSWER_MS = 4_000

const Part = z.object({ status: z.enum(['ok', 'failed']), message: z.string().optional() })
const Readiness = z.object({ checks: z.record(z.string(), Part) })

/** What a service says of itself; `unreachable` when it says nothing. */
export interface ServiceState {
  readonly status: 'ready' | 'not_ready' | 'unreachable'
  readonly checks?: z.infer<typeof Readiness>['checks']
  readonly message?: string
}

function reasonOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error)
  if ('name' in error && error.name === 'TimeoutError') return `no answer within ${ANSWER_MS} ms`
  // fetch says "fetch failed"; its cause says why.
  if ('cause' in error && error.cause !== undefined) return reasonOf(error.cause)
  if ('message' in error && error.message !== '') return String(error.message)
  return 'code' in error ? String(error.code) : 'for no reason given'
}

async function stateOf(origin: URL): Promise<ServiceState> {
  try {
    const answer = await fetch(new URL('/health/ready', origin), {
      signal: AbortSignal.timeout(ANSWER_MS),
    })
    const said = Readiness.safeParse(await answer.json())
    if (!said.success) return { status: 'unreachable', message: 'says something else' }
    return { status: answer.ok ? 'ready' : 'not_ready', checks: said.data.checks }
  } catch (error) {
    return { status: 'unreachable', message: reasonOf(error) }
  }
}

/** Asks every service at once whether it is ready. Never rejects; takes 4 s at most. */
export async function serviceStates(
  origins: ServiceOrigins,
): Promise<Record<ServiceName, ServiceState>> {
  const states = await Promise.all(
    SERVICES.map(async (name) => [name, await stateOf(origins[name])] as const),
  )
  return Object.fromEntries(states) as Record<ServiceName, ServiceState>
}
