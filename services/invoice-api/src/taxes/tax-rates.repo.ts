import type { Sql } from '@billtrail/platform'
import type { NewTaxRate, TaxRate } from './tax-rates.schema'

const COLUMNS = `t.id, t.name, trim_scale(t.percent)::text as percent, t.inclusive, t.is_default as "default",
  to_char(t.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as created_at`

type Row = TaxRate & Record<string, unknown>

export async function findTaxRate(
  sql: Sql,
  key: { organizationId: string; id: string },
  options: { lock: boolean },
): Promise<TaxRate | undefined> {
  const { rows } = await sql.query<Row>(
    `select ${COLUMNS} from tax_rates t where t.organization_id = $1 and t.id = $2
     ${options.lock ? 'for update' : ''}`,
    [key.organizationId, key.id],
  )
  return rows[0]
}

/** The oldest first. */
export async function listTaxRates(
  sql: Sql,
  page: {
    organizationId: string
    after: readonly [createdAt: string, id: string] | undefined
    limit: number
  },
): Promise<TaxRate[]> {
  const { rows } = await sql.query<Row>(
    `select ${COLUMNS} from tax_rates t
     where t.organization_id = $1
       and ($2::timestamptz is null or (t.created_at, t.id) > ($2, $3::uuid))
     order by t.created_at, t.id limit $4`,
    [page.organizationId, page.after?.[0], page.after?.[1], page.limit],
  )
  return rows
}

export async function insertTaxRate(
  sql: Sql,
  organizationId: string,
  rate: NewTaxRate,
): Promise<TaxRate> {
  const { rows } = await sql.query<Row>(
    `insert into tax_rates as t (organization_id, name, percent, inclusive, is_default)
     values ($1, $2, $3, $4, $5) returning ${COLUMNS}`,
    [organizationId, rate.name, rate.percent, rate.inclusive, rate.default],
  )
  return rows[0]!
}

export async function updateDefault(sql: Sql, id: string, isDefault: boolean): Promise<void> {
  await sql.query('update tax_rates set is_default = $2 where id = $1', [id, isDefault])
}

export async function findTaxpayer(
  sql: Sql,
  key: { organizationId: string; customerId: string },
): Promise<{ customerNo: number; own: string[] | null } | undefined> {
  const { rows } = await sql.query<{ customerNo: number; own: string[] | null }>(
    `select c.customer_no as "customerNo", x.tax_rate_ids as own
     from customers c left join customer_taxes x on x.customer_no = c.customer_no
     where c.organization_id = $1 and c.id = $2
       and (c.registered_at is not null or exists (select from usage u where u.customer_no = c.customer_no))`,
    [key.organizationId, key.customerId],
  )
  return rows[0]
}

/** Those named, or (null) those for customers without rates of their own. */
export async function ratesNamed(
  sql: Sql,
  organizationId: string,
  ids: readonly string[] | null,
): Promise<TaxRate[]> {
  const { rows } = await sql.query<Row>(
    `select ${COLUMNS} from tax_rates t
     where t.organization_id = $1 and case when $2::uuid[] is null then t.is_default else t.id = any($2) end
     order by t.created_at, t.id`,
    [organizationId, ids],
  )
  return rows
}

export async function saveCustomerTaxes(
  sql: Sql,
  customerNo: number,
  ids: readonly string[] | null,
): Promise<void> {
  if (ids === null) {
    await sql.query('delete from customer_taxes where customer_no = $1', [customerNo])
    return
  }
  await sql.query(
    `insert into customer_taxes (customer_no, tax_rate_ids) values ($1, $2)
     on conflict (customer_no) do update set tax_rate_ids = excluded.tax_rate_ids`,
    [customerNo, ids],
  )
}
