import type { Metrics } from '@billtrail/platform'
import { Counter, Gauge, Histogram } from 'prom-client'
import type { RunChecks } from './checks/run-checks'

/** What the billing worker counts. */
export interface BillingMetrics {
  cycle(result: 'done' | 'failed', seconds: number): void
  billed(months: number): void
  finalized(invoices: number): void
  files(result: { written: number; repaired: number }): void
  balance(checks: RunChecks): void
}

export function createBillingMetrics(
  metrics: Metrics,
  schedulerAgeSeconds: () => number,
): BillingMetrics {
  const registers = [metrics.registry]
  const cycles = new Counter({
    name: 'billtrail_billing_cycles_total',
    help: 'Billing cycles, by result',
    labelNames: ['result'],
    registers,
  })
  const seconds = new Histogram({
    name: 'billtrail_billing_cycle_duration_seconds',
    help: 'How long a billing cycle took',
    buckets: [0.01, 0.1, 1, 5, 30, 120, 600],
    registers,
  })
  const counter = (name: string, help: string) => new Counter({ name, help, registers })
  const billed = counter('billtrail_months_billed_total', 'Customer months rated and billed')
  const finalized = counter('billtrail_invoices_finalized_total', 'Invoices finalized')
  const written = counter('billtrail_billable_files_written_total', 'Billable files written')
  const repaired = counter(
    'billtrail_billable_files_repaired_total',
    'Billable files that were missing from the bucket and put back',
  )
  const imbalance = new Gauge({
    name: 'billtrail_ledger_imbalance',
    help: 'Periods and files of the last billing run that do not balance; anything but 0 is an alarm',
    registers,
  })
  new Gauge({
    name: 'billtrail_billing_scheduler_age_seconds',
    help: 'Time since the last billing cycle that succeeded',
    registers,
    collect() {
      this.set(schedulerAgeSeconds())
    },
  })
  imbalance.set(0)
  return {
    cycle: (result, took) => {
      cycles.inc({ result })
      seconds.observe(took)
    },
    billed: (months) => billed.inc(months),
    finalized: (invoices) => finalized.inc(invoices),
    files: (result) => {
      written.inc(result.written)
      repaired.inc(result.repaired)
    },
    balance: ({ periods, files }) =>
      imbalance.set([...periods, ...files].filter((check) => !check.balanced).length),
  }
}
