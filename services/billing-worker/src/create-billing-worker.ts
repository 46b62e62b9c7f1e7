import type { RequestListener } from 'node:http'
import { createApp, createMetrics, type FileStore, type Logger } from '@billtrail/platform'
import type { Pool } from 'pg'
import { billableFileRoutes } from './billable-files/billable-files.routes'
import { createBillingMetrics } from './billing-metrics'
import { billingRunRoutes } from './billing-runs/billing-runs.routes'
import { createCycle } from './cycle/run-cycle'
import { createScheduler, type PassResult, type Scheduler } from './scheduler/scheduler'

export interface BillingWorkerOptions {
  /** For requests. */
  readonly pool: Pool
  /** For cycles, whose statements may run long; its connections hold the billing locks. */
  readonly cyclePool: Pool
  readonly files: FileStore
  readonly logger: Logger
  readonly intervalSeconds: number
  readonly graceHours: number
}

export interface BillingWorker {
  readonly app: RequestListener
  readonly scheduler: Scheduler
  /** One cycle, now, beside the scheduler. */
  readonly runCycle: () => Promise<PassResult>
  readonly close: () => Promise<void>
}

/** billing-worker: the cycle, and what people may ask of it. Nothing runs until the scheduler is started. */
export function createBillingWorker(options: BillingWorkerOptions): BillingWorker {
  const { pool, cyclePool, files, logger } = options
  const metrics = createMetrics('billing-worker')
  const cycle = createCycle({
    pool: cyclePool,
    files,
    logger,
    graceHours: options.graceHours,
    metrics: createBillingMetrics(metrics, () => scheduler.ageSeconds()),
  })
  const scheduler = createScheduler({
    intervalMs: options.intervalSeconds * 1000,
    pass: (moving, stopping) => cycle({ moving, stopping }),
    logger,
  })
  const app = createApp({
    service: 'billing-worker',
    logger,
    sql: pool,
    metrics,
    checks: {
      database: () => pool.query('select 1'),
      storage: () => files.check(),
      scheduler: () => scheduler.check(),
    },
    routes: [
      ...billingRunRoutes({ sql: pool, wake: () => scheduler.wake() }),
      ...billableFileRoutes({ sql: pool, files }),
    ],
  })
  return {
    app,
    scheduler,
    runCycle: () => cycle({ moving: () => undefined, stopping: () => false }),
    async close() {
      await scheduler.stop()
      files.close()
      await Promise.all([pool.end(), cyclePool.end()])
    },
  }
}
