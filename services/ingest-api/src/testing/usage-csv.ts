export interface UsageRow {
  readonly customer_id: string
  readonly event_type: string
  readonly event_id: string
  readonly event_date: string
  readonly quantity: string
}

const HEADER = 'customer_id,event_type,event_id,event_date,quantity'

/** Rows as a file, with a header. Their values need no quotes. */
export function usageCsv(rows: readonly UsageRow[]): string {
  const lines = rows.map((row) =>
    [row.customer_id, row.event_type, row.event_id, row.event_date, row.quantity].join(','),
  )
  return `${[HEADER, ...lines].join('\n')}\n`
}

/** `count` rows of October 2025 for ten customers; `prefix` sets their ids apart from those of other files. */
export function usageRows(count: number, prefix: string): UsageRow[] {
  return Array.from({ length: count }, (_row, index) => ({
    customer_id: `c${index % 10}`,
    event_type: index % 3 === 0 ? 'call' : 'message',
    event_id: `${prefix}-${index}`,
    event_date: new Date(Date.UTC(2025, 9, 1) + index * 1_000).toISOString(),
    quantity: `${1 + (index % 7)}`,
  }))
}
