import type { SqlValues } from './sql-values'

/** The events of one customer in [from, to), in microseconds since 1970. */
export interface CustomerSpan {
  readonly customerNo: number
  readonly from: number
  readonly to: number
}

/** Half-open spans as a table `s` with their position from 0. */
export function spansSql(spans: readonly CustomerSpan[], { bind }: SqlValues): string {
  const instant = (micros: number): string =>
    `${new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1)}${String(((micros % 1000) + 1000) % 1000).padStart(3, '0')}Z`
  const customers = bind(spans.map((span) => span.customerNo))
  const from = bind(spans.map((span) => instant(span.from)))
  const to = bind(spans.map((span) => instant(span.to)))
  return `(select customer_no, span_from, span_to, (ordinality - 1)::int as at
    from unnest(${customers}::int[], ${from}::timestamptz[], ${to}::timestamptz[])
      with ordinality as u (customer_no, span_from, span_to, ordinality)) as s`
}

/** The rows of each span, in the order of the spans. */
export function rowsBySpan<Row extends { readonly at: number }>(
  spans: readonly CustomerSpan[],
  rows: readonly Row[],
): Row[][] {
  const bySpan = spans.map((): Row[] => [])
  for (const row of rows) bySpan[row.at]?.push(row)
  return bySpan
}
