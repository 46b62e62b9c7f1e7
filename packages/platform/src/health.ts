import { Router } from 'express'

/** Rejects with the reason when the part is not there. */
export type HealthCheck = () => Promise<unknown>

const CHECK_MS = 3_000

interface PartHealth {
  readonly status: 'ok' | 'failed'
  readonly message?: string
}

async function inTime(check: HealthCheck): Promise<PartHealth> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CHECK_MS} ms`)), CHECK_MS)
  })
  try {
    await Promise.race([check(), late])
    return { status: 'ok' }
  } catch (error) {
    return { status: 'failed', message: reasonOf(error) }
  } finally {
    clearTimeout(timer)
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return reasonOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}

/** `/health/live`: the process answers. `/health/ready`: it can do its work, and if not, which part is missing. */
export function healthRoutes(checks: Readonly<Record<string, HealthCheck>>): Router {
  const router = Router()
  router.get('/health/live', (_req, res) => {
    res.json({ status: 'live' })
  })
  router.get('/health/ready', async (_req, res) => {
    const parts = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await inTime(check)] as const),
    )
    const ready = parts.every(([, part]) => part.status === 'ok')
    res.status(ready ? 200 : 503).json({
      status: ready ? 'ready' : 'not_ready',
      checks: Object.fromEntries(parts),
    })
  })
  return router
}
