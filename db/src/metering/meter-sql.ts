import type { Meter, MeterFilter } from '@billtrail/domain'
import type { SqlValues } from './sql-values'

/** A plain decimal, as `aggregate` of the domain takes it. */
const PLAIN_DECIMAL = '^[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)$'

interface Bound {
  readonly organizationId: string
  readonly values: SqlValues
}

/** The condition for an event `e` to be one the meter takes, whatever its value. */
export function takesSql(meter: Meter, { organizationId, values }: Bound): string {
  const conditions = meter.filters.map((filter) => filterSql(filter, values))
  if (meter.eventType !== null) {
    // Of a type that no event ever had there is no number.
    conditions.push(`e.event_type_no = coalesce((
      select t.event_type_no from event_types t
      where t.organization_id = ${values.bind(organizationId)}::uuid and t.name = ${values.bind(meter.eventType)}::text), 0)`)
  }
  return conditions.length === 0 ? 'true' : conditions.join(' and ')
}

function filterSql(filter: MeterFilter, { bind }: SqlValues): string {
  const value = `(e.properties -> ${bind(filter.property)}::text)`
  const matches =
    'equals' in filter
      ? `${value} = ${bind(filter.equals)}::text`
      : 'in' in filter
        ? `${value} = any(${bind(filter.in)}::text[])`
        : `${value} is not null`
  // Without the property there is no value, which matches nothing.
  return `${(filter.not ?? false) ? 'not ' : ''}coalesce(${matches}, false)`
}

/** The value of an event `e` for the meter; null: the event does not count. */
export function valueSql({ aggregation, property }: Meter, { bind }: SqlValues): string {
  if (aggregation === 'count') return '1::numeric'
  if (property === null) return 'e.quantity'
  const text = `(e.properties -> ${bind(property)}::text)`
  if (aggregation === 'unique_count') return text
  return `case when ${text} ~ '${PLAIN_DECIMAL}' then ${text}::numeric end`
}

/** What the values of measured events `m` come to. */
export function quantitySql({ aggregation }: Meter): string {
  switch (aggregation) {
    case 'count':
    case 'sum':
      return 'sum(m.value)'
    case 'max':
      return 'max(m.value)'
    case 'unique_count':
      return 'count(distinct m.value)'
    case 'latest':
      return '(array_agg(m.value order by m.event_date desc, m.event_key desc))[1]'
    case 'weighted_sum':
      // Each change counts from when it happened, or from the beginning of the span, to its end.
      return `sum(m.value * round(extract(epoch from m.span_to - greatest(m.event_date, m.span_from)) * 1000000))`
  }
}
