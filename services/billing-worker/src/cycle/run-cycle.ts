import type { FileStore, Logger } from '@billtrail/platform'
import type { Pool } from 'pg'
import type { BillingMetrics } from '../billing-metrics'
import type { PassResult } from '../scheduler/scheduler'
import { billOrganization } from './bill-organization'
import { asOnlyBiller } from './organization-lock'
import { hasQueuedRuns, listOrganizationIds } from './organizations.repo'

export interface CycleDeps {
  readonly pool: Pool
  readonly files: FileStore
  readonly logger: Logger
  readonly metrics: BillingMetrics
  readonly graceHours: number
}

export interface CyclePass {
  readonly moving: () => void
  readonly stopping: () => boolean
}

/** Makes the function that runs one billing cycle over all organizations. */
export function createCycle(deps: CycleDeps): (pass: CyclePass) => Promise<PassResult> {
  const namesSeen = new Map<string, string>()

  return async (pass) => {
    const startedAt = process.hrtime.bigint()
    const took = () => Number(process.hrtime.bigint() - startedAt) / 1e9
    const failures: unknown[] = []
    try {
      // The bucket is looked at before anything needs it, so that one that vanished is back within a cycle. While
      // the storage is down, bills are made all the same; only files wait.
      await deps.files.ensureBucket().catch((error: unknown) => failures.push(error))
      for (const id of await listOrganizationIds(deps.pool)) {
        if (pass.stopping()) break
        await asOnlyBiller(deps.pool, id, (connection) =>
          billOrganization({ ...deps, ...pass, connection, namesSeen }, id),
        ).catch((error: unknown) => {
          // One organization's fault must not keep the others from being billed.
          deps.logger.warn(
            { err: error, organization_id: id },
            'an organization could not be billed',
          )
          failures.push(error)
        })
        pass.moving()
      }
      if (failures.length > 0) throw asError(failures[0])
      deps.metrics.cycle('done', took())
      // Another worker may hold the lock of an organization whose run was asked for just after it looked.
      return (await hasQueuedRuns(deps.pool)) ? 'more' : 'done'
    } catch (error) {
      deps.metrics.cycle('failed', took())
      throw error
    }
  }
}

const asError = (error: unknown): Error =>
  error instanceof Error ? error : new Error(String(error))
